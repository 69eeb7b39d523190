/* SPDX-License-Identifier: Apache-2.0
 * Just enough JSON to find what the user said last. A real engine uses a library. Never reads beyond the NUL,
 * whatever the text is. */
#ifndef TESTCARD_MESSAGES_H
#define TESTCARD_MESSAGES_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static inline const char* json_blank(const char* at) {
  return at + strspn(at, " \t\r\n");
}

/* Behind the string that begins at the quote `at`. */
static inline const char* json_string_end(const char* at) {
  for (++at; *at != '\0' && *at != '"'; ++at) {
    if (*at == '\\' && at[1] != '\0') ++at;
  }
  return *at == '"' ? at + 1 : at;
}

/* Behind the value that begins at `at`. */
static inline const char* json_value_end(const char* at) {
  size_t depth = 0;
  do {
    if (*at == '"') {
      at = json_string_end(at);
      continue;
    }
    if (*at == '[' || *at == '{') ++depth;
    if (depth == 0) return at + strcspn(at, ",]} \t\r\n");
    if (*at == ']' || *at == '}') --depth;
    if (*at != '\0') ++at;
  } while (*at != '\0' && depth > 0);
  return at;
}

/* The value of a member of the object at `at`, or NULL. */
static inline const char* json_member(const char* at, const char* name) {
  if (*at != '{') return NULL;
  for (at = json_blank(at + 1); *at == '"'; at = json_blank(at)) {
    const char* key = at + 1;
    at = json_string_end(at);
    const size_t length = (size_t)(at - key) - (at > key ? 1 : 0);
    at = json_blank(at);
    if (*at != ':') return NULL;
    at = json_blank(at + 1);
    if (length == strlen(name) && strncmp(key, name, length) == 0) return at;
    at = json_blank(json_value_end(at));
    if (*at != ',') return NULL;
    ++at;
  }
  return NULL;
}

/* Writes a character as UTF-8 and returns how many bytes that took. */
static inline size_t json_write(unsigned long c, char* to) {
  if (c < 0x80) return to[0] = (char)c, 1;
  if (c < 0x800) return to[0] = (char)(0xC0 | c >> 6), to[1] = (char)(0x80 | (c & 63)), 2;
  const int four = c >= 0x10000;
  size_t n = 0;
  if (four) to[n++] = (char)(0xF0 | c >> 18);
  to[n++] = (char)(four ? 0x80 | (c >> 12 & 63) : 0xE0 | c >> 12);
  to[n++] = (char)(0x80 | (c >> 6 & 63));
  to[n++] = (char)(0x80 | (c & 63));
  return n;
}

/* The four digits behind \u; 0xFFFD when they are none, or half of a pair. */
static inline unsigned long json_hex(const char* at) {
  char digits[5] = {0};
  strncpy(digits, at, 4);
  return strspn(digits, "0123456789abcdefABCDEF") == 4 ? strtoul(digits, NULL, 16) : 0xFFFD;
}

/* Appends what the string at the quote `at` says to `to`, which has room for as many bytes as stand there. */
static inline size_t json_append(const char* at, char* to) {
  static const char escapes[] = "n\nt\tr\rb\bf\f";
  const char* const end = json_string_end(at);
  size_t n = 0;
  for (++at; at < end && *at != '"'; ++at) {
    if (*at != '\\') {
      to[n++] = *at;
      continue;
    }
    const char* const known = *++at == '\0' ? NULL : strchr(escapes, *at);
    if (*at == 'u') {
      unsigned long c = json_hex(at + 1);
      at += strnlen(at + 1, 4);
      if (c >= 0xD800 && c < 0xDC00 && at[1] == '\\' && at[2] == 'u') {
        const unsigned long low = json_hex(at + 3);
        if (low >= 0xDC00 && low < 0xE000) {
          c = 0x10000 + (c - 0xD800) * 0x400 + (low - 0xDC00);
          at += 6;
        }
      }
      n += json_write(c >= 0xD800 && c < 0xE000 ? 0xFFFD : c, to + n);
    } else if (*at != '\0') {
      to[n++] = known != NULL && (known - escapes) % 2 == 0 ? known[1] : *at;
    }
  }
  return n;
}

/* The content of a message: a string, or the texts of a list of parts. */
static inline size_t json_content(const char* at, char* to) {
  if (*at == '"') return json_append(at, to);
  if (*at != '[') return 0;
  size_t n = 0;
  for (at = json_blank(at + 1); *at == '{'; at = json_blank(at)) {
    const char* const text = json_member(at, "text");
    if (text != NULL && *text == '"') n += json_append(text, to + n);
    at = json_blank(json_value_end(at));
    if (*at == ',') ++at;
  }
  return n;
}

/* Writes the content of the last message of a user to `to`, which has room for strlen(messages) bytes, and
 * returns how many bytes that took. */
static inline size_t last_user_message(const char* messages, char* to) {
  const char* last = NULL;
  const char* at = json_blank(messages);
  if (*at != '[') return 0;
  for (at = json_blank(at + 1); *at == '{'; at = json_blank(at)) {
    const char* const role = json_member(at, "role");
    const char* const content = json_member(at, "content");
    if (role != NULL && content != NULL && strncmp(role, "\"user\"", 6) == 0) last = content;
    at = json_blank(json_value_end(at));
    if (*at == ',') ++at;
  }
  return last == NULL ? 0 : json_content(last, to);
}

#endif
