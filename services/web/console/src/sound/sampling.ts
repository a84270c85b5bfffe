import workletAddress from "./worklet?worker&url";

/** Sound of a tenth of a second: 16-bit mono samples, and the highest of them, 0 to 1. */
export interface Sampled {
  sound: ArrayBuffer;
  peak: number;
}

// What speech recognition reads; more would only fill the line.
const WANTED_HERTZ = 16_000;

/** Samples a stream until it is closed. */
export class Sampling {
  private constructor(
    private readonly context: AudioContext,
    private readonly input: AudioNode,
    private readonly node: AudioWorkletNode,
  ) {}

  static async open(stream: MediaStream): Promise<Sampling> {
    const { context, input } = inputOf(stream);
    await context.audioWorklet.addModule(workletAddress);
    const node = new AudioWorkletNode(context, "sampler");
    return new Sampling(context, input, node);
  }

  get hertz(): number {
    return this.context.sampleRate;
  }

  async start(take: (sampled: Sampled) => void): Promise<void> {
    this.node.port.onmessage = ({ data }) => take(data as Sampled);
    this.input.connect(this.node);
    // It plays nothing there, but Safari runs only what leads somewhere.
    this.node.connect(this.context.destination);
    await this.context.resume();
  }

  async close(): Promise<void> {
    this.node.port.onmessage = null;
    this.input.disconnect();
    await this.context.close();
  }
}

function inputOf(stream: MediaStream): { context: AudioContext; input: AudioNode } {
  const context = new AudioContext({ sampleRate: WANTED_HERTZ });
  try {
    return { context, input: context.createMediaStreamSource(stream) };
  } catch {
    // Firefox converts no rate; the mesh does it then.
    void context.close();
    const own = new AudioContext();
    return { context: own, input: own.createMediaStreamSource(stream) };
  }
}
