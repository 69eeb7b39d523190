/* SPDX-License-Identifier: Apache-2.0
 * What stands here for a language model: it says what it was told, word by word, and turns words into
 * numbers. This stands where your own mathematics will be; it knows nothing of plugins. */
#ifndef TESTCARD_ECHO_H
#define TESTCARD_ECHO_H

#include <stddef.h>
#include <stdint.h>

/* A part of a text, which need not end with a NUL. */
typedef struct echo_text {
  const char* text;
  size_t bytes;
} echo_text;

/* The word at `at` of `text` with the blanks before it; with those behind it, too, when it is the last. Empty
 * at the end. */
static inline echo_text echo_word(echo_text text, size_t at) {
  size_t end = at;
  while (end < text.bytes && (unsigned char)text.text[end] <= ' ')
    ++end;
  while (end < text.bytes && (unsigned char)text.text[end] > ' ')
    ++end;
  size_t rest = end;
  while (rest < text.bytes && (unsigned char)text.text[rest] <= ' ')
    ++rest;
  const echo_text word = {text.text + at, (rest == text.bytes ? rest : end) - at};
  return word;
}

static inline uint32_t echo_count(echo_text text) {
  uint32_t words = 0;
  for (size_t at = 0; at < text.bytes; at += echo_word(text, at).bytes)
    ++words;
  return words;
}

/* Where word `index` begins. */
static inline size_t echo_place(echo_text text, uint32_t index) {
  size_t at = 0;
  for (uint32_t i = 0; i < index; ++i)
    at += echo_word(text, at).bytes;
  return at;
}

/* FNV-1a: what stands here for a tokenizer's id. Never negative. */
static inline int32_t echo_id(echo_text word) {
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < word.bytes; ++i)
    hash = (hash ^ (unsigned char)word.text[i]) * 16777619u;
  return (int32_t)(hash & 0x7FFFFFFFu);
}

/* With which word the answer begins: by chance, of which `seed` decides. */
static inline uint32_t echo_first(uint64_t seed, uint32_t words) {
  const uint64_t mixed = (seed + 1) * UINT64_C(0x9E3779B97F4A7C15);
  return words == 0 ? 0 : (uint32_t)((mixed >> 32) % words);
}

enum { ECHO_WIDTH = 32 };

/* Each word adds 1 or takes 1 away at every place, so that texts with common words are near. */
static inline void echo_vector(echo_text text, float values[ECHO_WIDTH]) {
  for (int i = 0; i < ECHO_WIDTH; ++i)
    values[i] = 0;
  for (size_t at = 0; at < text.bytes;) {
    const echo_text word = echo_word(text, at);
    at += word.bytes;
    echo_text bare = word;
    while (bare.bytes > 0 && (unsigned char)bare.text[0] <= ' ')
      ++bare.text, --bare.bytes;
    while (bare.bytes > 0 && (unsigned char)bare.text[bare.bytes - 1] <= ' ')
      --bare.bytes;
    const uint32_t id = (uint32_t)echo_id(bare);
    for (int i = 0; i < ECHO_WIDTH; ++i)
      values[i] += (id * 2654435769u >> i & 1u) != 0 ? 1.0f : -1.0f;
  }
}

#endif
