import { expect, test } from "vitest";
import { shareOf, tokenIn } from "../src/shared/token";

const TOKEN = `maieshare_${"0".repeat(32)}_9f2c61d07ab4_${"A-_".repeat(14)}x`;

test("the token of a link is in its fragment, and names its share", () => {
  expect(tokenIn(`#${TOKEN}`)).toBe(TOKEN);
  expect(shareOf(TOKEN)).toBe("9f2c61d07ab4");
});

test("what is no token names no share", () => {
  for (const text of ["", "nothing", TOKEN.slice(0, -1), `${TOKEN}/..`]) expect(shareOf(text)).toBe("");
});
