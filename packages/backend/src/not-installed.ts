/** A backend that is not there at all: no fault, and no reason to say more than that another one serves. */
export class NotInstalled extends Error {}
