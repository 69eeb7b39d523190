/* SPDX-License-Identifier: Apache-2.0
 * The image: seven colour bars, a grey ramp below them, and a disc of inverted colours where the seed puts
 * it. This stands where your own mathematics will be; it knows nothing of plugins. */
#ifndef TESTCARD_CARD_H
#define TESTCARD_CARD_H

#include <stddef.h>
#include <stdint.h>

/* Fills row y of a width x height image: width * 3 values from 0 to 1. Width and height at least 2. */
static inline void card_row(uint32_t width, uint32_t height, uint64_t seed, uint32_t y, float* rgb) {
  const uint64_t mixed = (seed + 1) * UINT64_C(0x9E3779B97F4A7C15); /* spreads neighbouring seeds */
  const int64_t centre_x = (int64_t)((mixed >> 32) % width);
  const int64_t centre_y = (int64_t)((mixed & 0xFFFFFFFFu) % height);
  const int64_t radius = (width < height ? width : height) / 6;
  const int64_t dy = (int64_t)y - centre_y;
  const int ramp = y >= height - height / 4;
  for (uint32_t x = 0; x < width; ++x) {
    const int64_t dx = (int64_t)x - centre_x;
    const int inside = dx * dx + dy * dy <= radius * radius;
    /* white, yellow, cyan, green, magenta, red, blue: the bits of 7 down to 1 are green, red, blue */
    const uint32_t bar = 7 - (uint32_t)((uint64_t)x * 7 / width);
    const uint32_t bits[3] = {bar >> 1 & 1u, bar >> 2 & 1u, bar & 1u};
    for (uint32_t channel = 0; channel < 3; ++channel) {
      const float level = ramp ? (float)x / (float)(width - 1) : 0.75f * (float)bits[channel];
      rgb[3 * x + channel] = inside ? 1.0f - level : level;
    }
  }
}

/* Fills the band of rows that step `step` of `steps` (1-based) draws; rgb is the whole image. */
static inline void card_band(uint32_t width, uint32_t height, uint64_t seed, uint32_t step, uint32_t steps,
                             float* rgb) {
  if (width < 2 || height < 2) return;
  const uint32_t end = (uint32_t)((uint64_t)height * step / steps);
  for (uint32_t y = (uint32_t)((uint64_t)height * (step - 1) / steps); y < end; ++y)
    card_row(width, height, seed, y, rgb + (size_t)width * 3 * y);
}

#endif
