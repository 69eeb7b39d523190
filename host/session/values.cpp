// SPDX-License-Identifier: Apache-2.0
// Ranges of what a person may ask for.
#include "host/session/values.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <cmath>
#include <sstream>

namespace roundhouse::host {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(RH_INVALID_ARGUMENT, message);
}

std::string number(double value) {
  std::ostringstream text;
  text.precision(15);
  text << value;
  return text.str();
}

bool is_blank(utf8proc_int32_t character) {
  const auto category = utf8proc_category(character);
  return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF ||
         category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
         category == UTF8PROC_CATEGORY_ZP;
}

}  // namespace

void check_integer(const char* field, std::optional<std::int64_t> value, std::int64_t minimum,
                   std::int64_t maximum) {
  if (!value || (*value >= minimum && *value <= maximum)) return;
  refuse(fmt::format("{}: {} is out of range, expected {} to {}", field, *value, minimum, maximum));
}

void check_number(const char* field, std::optional<double> value, double minimum, double maximum) {
  if (!value) return;
  const std::string expected =
      maximum == kUnbounded ? number(minimum) + " or more" : number(minimum) + " to " + number(maximum);
  const std::string begin = std::string(field) + ": " + number(*value);
  if (!std::isfinite(*value)) refuse(begin + " is not a finite number, expected " + expected);
  if (*value < minimum || *value > maximum) refuse(begin + " is out of range, expected " + expected);
}

bool check_text(const char* field, const std::string& text, std::size_t longest, bool zeros) {
  if (text.size() > longest) {
    refuse(fmt::format("{}: {} bytes are too long, expected at most {}", field, text.size(), longest));
  }
  bool visible = false;
  for (std::size_t at = 0; at < text.size();) {
    utf8proc_int32_t character = 0;
    const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at);
    const auto length = utf8proc_iterate(bytes, static_cast<utf8proc_ssize_t>(text.size() - at), &character);
    if (length <= 0) refuse(fmt::format("{}: byte {} is not UTF-8", field, at));
    if (character == 0 && !zeros) refuse(fmt::format("{}: byte {} is a NUL character", field, at));
    visible = visible || !is_blank(character);
    at += static_cast<std::size_t>(length);
  }
  return visible;
}

void check_values(const GenerateRequest& request) {
  if (!check_text("prompt", request.prompt) && !request.may_be_blank)
    refuse("prompt: is blank, expected some text");
  if (request.negative_prompt) check_text("negative prompt", *request.negative_prompt);
  check_integer("steps", request.steps, 1, 50);
  check_number("guidance", request.guidance, 0, 20);
  check_number("cfg normalization", request.cfg_normalization, 0, kUnbounded);
  check_number("cfg truncation", request.cfg_truncation, 0, 1);
  if (request.strength) {
    if (!request.init) refuse("strength: is of an image to begin with, expected one with it");
    if (!(*request.strength > 0 && *request.strength <= 1))
      refuse("strength: " + number(*request.strength) + " is out of range, expected more than 0, up to 1");
  }
  check_integer("num-images", request.images, 1, 16);
  if (request.seed && *request.seed < -1) {
    refuse(
        fmt::format("seed: {} is out of range, expected -1 (random) or 0 to {}", *request.seed, INT64_MAX));
  }
  if (request.seed && *request.seed > INT64_MAX - (request.images - 1)) {
    refuse(fmt::format(
        "seed: {} is out of range, expected at most {} for {} images, which have seeds one after the other",
        *request.seed, INT64_MAX - (request.images - 1), request.images));
  }
  if (request.aspect && (request.width || request.height)) {
    refuse("aspect: '" + *request.aspect +
           "' was given together with a width or height, expected one of both");
  }
  check_device(request);
}

}  // namespace roundhouse::host
