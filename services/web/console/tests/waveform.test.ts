import { describe, expect, test } from "vitest";
import { decoded, heightsOf, PITCH_PX, pathOf } from "../src/recording/waveform/bars";

function waveform(...peaks: number[]) {
  return { step: 0.1, peaks: Uint8Array.from(peaks) };
}

test("a waveform comes as bytes in Base64", () => {
  expect(decoded({ interval: "0.100s", peaks: btoa("\x00\x80\xff") })).toEqual(waveform(0, 128, 255));
});

describe("bars", () => {
  test("are as high as the peaks in their time, and the highest is whole", () => {
    expect(heightsOf(waveform(0, 50, 100, 100, 200, 0), 0.6, 3)).toEqual([0.25, 1, 1]);
    expect(heightsOf(waveform(0, 50, 100, 100, 200, 0), 0.6, 6)).toEqual([0, 0.25, 0.5, 0.5, 1, 0]);
  });

  test("may be more than there are peaks", () => {
    expect(heightsOf(waveform(10, 20), 0.2, 6)).toEqual([0.5, 0.5, 0.5, 1, 1, 1]);
  });

  test("end in silence where the sound is shorter than what is played", () => {
    expect(heightsOf(waveform(100, 100), 0.4, 4)).toEqual([1, 1, 0, 0]);
  });

  test("of silence, and of no sound, are flat", () => {
    expect(heightsOf(waveform(0, 0), 0.2, 2)).toEqual([0, 0]);
    expect(heightsOf(waveform(), 1, 2)).toEqual([0, 0]);
  });

  test("of four hours are as many as there is room for", () => {
    const peaks = Uint8Array.from({ length: 4 * 36_000 }, (_, index) => (index < 72_000 ? 90 : 180));
    const heights = heightsOf({ step: 0.1, peaks }, 4 * 3600, 300);
    expect(heights.slice(0, 150).every((height) => height === 0.5)).toBe(true);
    expect(heights.slice(150).every((height) => height === 1)).toBe(true);
  });
});

test("a path has the wanted bars at their places, each in the middle of the height", () => {
  const path = pathOf([0, 0.5, 1], (index) => index !== 1);
  expect(path).toBe(`M${PITCH_PX / 2} 23.5v1M${2.5 * PITCH_PX} 1v46`);
});
