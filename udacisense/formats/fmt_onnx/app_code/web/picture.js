// From an image to the model's input, number for number as in training: bicubic resize, 0..1, minus mean, by deviation.
export const HEIGHT = {{height}};
export const WIDTH = {{width}};
export const MEAN = [{{mean}}];
export const STD = [{{std}}];
export const LABELS = [{{labels}}];

const BITS = 22; // fixed point of the resize's weights

/** 1 x 3 x HEIGHT x WIDTH as a Float32Array: the red plane, then the green, then the blue one. */
export function input(imageData) {
  return normalise(pixels(imageData));
}

/** HEIGHT x WIDTH x 3 bytes: what the model sees of an image of any size. */
export function pixels({ data, width, height }) {
  return resize(withoutAlpha(data), width, height);
}

/** The pixels of an image file, colours unconverted: ImageData. */
export async function decode(blob) {
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
}

function withoutAlpha(rgba) {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let i = 0; i < rgb.length; i++) rgb[i] = rgba[Math.floor(i / 3) * 4 + (i % 3)];
  return rgb;
}

export function normalise(rgb) {
  const area = WIDTH * HEIGHT;
  const out = new Float32Array(3 * area);
  for (let i = 0; i < out.length; i++) {
    const channel = Math.floor(i / area);
    out[i] = (rgb[3 * (i % area) + channel] / 255 - MEAN[channel]) / STD[channel];
  }
  return out;
}

/** Pillow's bicubic resize with its antialiasing; a canvas gives other pixels, and the model other answers. */
export function resize(rgb, width, height) {
  const wide = width === WIDTH ? rgb : along(rgb, width, height, WIDTH, false);
  return height === HEIGHT ? wide : along(wide, WIDTH, height, HEIGHT, true);
}

function along(from, width, height, size, rows) {
  const length = rows ? height : width;
  const outWidth = rows ? width : size;
  const scale = length / size;
  const filter = Math.max(scale, 1);
  const support = 2 * filter;
  const out = new Uint8Array(3 * (rows ? width * size : size * height));
  for (let place = 0; place < size; place++) {
    const center = (place + 0.5) * scale;
    const first = Math.max(Math.trunc(center - support + 0.5), 0);
    const last = Math.min(Math.trunc(center + support + 0.5), length);
    const raw = [];
    for (let i = first; i < last; i++) raw.push(bicubic((i - center + 0.5) / filter));
    const total = raw.reduce((sum, weight) => sum + weight, 0);
    const weights = raw.map((weight) => fixed(weight / total));
    for (let other = 0; other < (rows ? width : height); other++) {
      for (let channel = 0; channel < 3; channel++) {
        let sum = 1 << (BITS - 1);
        for (let i = 0; i < weights.length; i++) {
          const at = rows ? (first + i) * width + other : other * width + first + i;
          sum += from[3 * at + channel] * weights[i];
        }
        const to = rows ? place * outWidth + other : other * outWidth + place;
        out[3 * to + channel] = Math.min(Math.max(sum >> BITS, 0), 255);
      }
    }
  }
  return out;
}

function bicubic(distance) {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * -0.5;
  return 0;
}

function fixed(weight) {
  return Math.trunc(weight * (1 << BITS) + (weight < 0 ? -0.5 : 0.5));
}
