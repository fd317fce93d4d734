// Exact sums of decimal texts: whole numbers of 10^-18, never floats.

const PLACES = 18;

/** A decimal text as a whole number of its smallest parts. */
export function units(text) {
  const [, sign, whole, part = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (part.length > PLACES) throw new Error(`${text} has more than ${PLACES} places`);
  const value = BigInt(whole + part.padEnd(PLACES, "0"));
  return sign ? -value : value;
}

/** The sum of decimal texts. */
export const sum = (texts) => texts.map(units).reduce((a, b) => a + b, 0n);
