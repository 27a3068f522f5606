/**
 * What a synthetic galaxy is: plain data, so that it can be logged, replayed and changed by hand.
 * Lengths are pixels of a 424 x 424 frame (x right, y down, the centre at 211.5), angles are
 * degrees from +x towards +y, colours run from 0 (blue, young stars) to 1 (red, old stars), and
 * every strength runs from 0 (absent) to 1 (as strong as it gets). check-parameters.ts has the
 * ranges.
 */
export interface GalaxyParameters {
  /** A star or a satellite's trail instead of a galaxy: what volunteers call "star or artifact". */
  kind: "galaxy" | "star" | "trail";
  /** Frame pixels in one pixel of the survey's camera: distant, small galaxies are magnified more. */
  magnification: number;
  /** Full width at half maximum of the atmosphere's blur, in pixels of the survey's camera. */
  seeing: number;
  /** Mean surface brightness inside the effective radius, in units of the sky noise per survey pixel. */
  brightness: number;
  centre: [x: number, y: number];
  /** Position angle of the major axis. */
  angle: number;
  /** 0 is face-on, 90 edge-on; only the disk and what lies in it are inclined. */
  inclination: number;
  /** A Sersic spheroid with `fraction` of all light; a fraction of 1 is an elliptical galaxy. */
  bulge: {
    fraction: number;
    sersic: number;
    /** Effective (half-light) radius along the major axis. */
    radius: number;
    axisRatio: number;
    /** 0: elliptical isophotes; 1: a box or peanut. */
    boxiness: number;
    colour: number;
  };
  /** An exponential disk; `radius` is its scale length, `thickness` its axis ratio seen edge-on. */
  disk: { radius: number; thickness: number; colour: number };
  /** `length` is the half length, `angle` lies in the disk's plane, from its major axis. */
  bar: { strength: number; length: number; angle: number };
  /**
   * Logarithmic arms of constant pitch angle; `flocculence` breaks them up into pieces that nobody
   * can count. `turn` is +1 or -1: which way they wind.
   */
  spiral: {
    strength: number;
    arms: number;
    pitch: number;
    flocculence: number;
    turn: number;
  };
  /** Star-forming regions along the arms. */
  knots: number;
  ring: { strength: number; radius: number };
  /** A dust lane across the middle. */
  dustLane: number;
  /** Tidal damage: lopsidedness, a plume. */
  disturbance: number;
  /** Clumps in place of an orderly disk. */
  irregularity: number;
  /** An arc of a lensed background galaxy; `radius` is the Einstein radius, `span` its length. */
  lens: { strength: number; radius: number; angle: number; span: number };
  /** A second galaxy in a merger, with tidal tails; `ratio` is its light in units of the first's. */
  companion: { strength: number; ratio: number; distance: number; angle: number; size: number };
  /** A bright foreground star on the galaxy: odd, and none of the named kinds of odd. */
  intruder: { strength: number; distance: number; angle: number };
  /** Mean number of stars and galaxies in a field of 424 x 424 survey pixels. */
  fieldDensity: number;
  /** Mean of the sky in R, G, B and its noise in G, of 255, before negative values are cut off. */
  sky: { level: [r: number, g: number, b: number]; noise: number };
}
