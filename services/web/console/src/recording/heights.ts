/** Where each line of a long list is: estimated heights, replaced by measured ones. */
export class Heights {
  private readonly tops: Float64Array;
  private readonly heights: Float64Array;
  private firstStale = 0;

  constructor(estimates: readonly number[]) {
    this.heights = Float64Array.from(estimates);
    this.tops = new Float64Array(estimates.length + 1);
  }

  get count(): number {
    return this.heights.length;
  }

  /** The height of all lines. */
  get total(): number {
    return this.top(this.count);
  }

  /** Where a line begins. */
  top(index: number): number {
    for (; this.firstStale < index; this.firstStale++) {
      this.tops[this.firstStale + 1] = this.at(this.tops, this.firstStale) + this.height(this.firstStale);
    }
    return this.at(this.tops, index);
  }

  height(index: number): number {
    return this.at(this.heights, index);
  }

  /** Sets a height as it was measured; returns by how much it differs. */
  measure(index: number, height: number): number {
    const difference = height - this.height(index);
    if (difference === 0) return 0;
    this.heights[index] = height;
    this.firstStale = Math.min(this.firstStale, index);
    return difference;
  }

  /** The index of the line at a distance from the top. */
  lineAt(distance: number): number {
    let low = 0;
    let high = Math.max(0, this.count - 1);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.top(middle) <= distance) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  private at(array: Float64Array, index: number): number {
    return array[index] ?? 0;
  }
}
