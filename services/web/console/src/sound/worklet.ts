/** Runs on the browser's thread for sound: turns what comes into messages of 16-bit mono samples. */

// The scope of an AudioWorklet, which TypeScript's own libraries do not describe.
declare const sampleRate: number;
declare const registerProcessor: (name: string, processor: unknown) => void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

const MESSAGES_A_SECOND = 10;
const FULL_SCALE = 32767;

class Sampler extends AudioWorkletProcessor {
  private readonly length = Math.round(sampleRate / MESSAGES_A_SECOND);
  private samples = new Int16Array(this.length);
  private count = 0;
  private peak = 0;

  process(inputs: readonly (readonly Float32Array[])[]): boolean {
    const channels = inputs[0] ?? [];
    const length = channels[0]?.length ?? 0;
    for (let place = 0; place < length; place++) {
      let sum = 0;
      for (const channel of channels) sum += channel[place] ?? 0;
      this.take(sum / channels.length);
    }
    return true;
  }

  private take(value: number): void {
    const clipped = Math.max(-1, Math.min(1, value));
    this.peak = Math.max(this.peak, Math.abs(clipped));
    this.samples[this.count++] = Math.round(clipped * FULL_SCALE);
    if (this.count < this.length) return;
    const sound = this.samples.buffer;
    this.port.postMessage({ sound, peak: this.peak }, [sound]);
    this.samples = new Int16Array(this.length);
    this.count = 0;
    this.peak = 0;
  }
}

registerProcessor("sampler", Sampler);
