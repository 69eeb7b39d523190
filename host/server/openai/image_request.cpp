// SPDX-License-Identifier: Apache-2.0
#include "host/server/openai/image_request.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "host/server/request_fields.h"

namespace roundhouse::host::openai {
namespace {

constexpr std::int64_t kMostOfTheirs = 10, kMostOfOurs = 16;

// Digits of a side, at most five of them.
std::optional<std::int64_t> side(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text.size() > 5 || error != std::errc{} || end != text.data() + text.size() ||
      value < 0)
    return std::nullopt;
  return value;
}

void take_size(const JsonFields& fields, GenerateRequest& request) {
  const std::string size = fields.text("size").value_or("auto");
  if (size == "auto") return;
  const std::size_t x = std::min(size.find('x'), size.size());
  request.width = side(std::string_view(size).substr(0, x));
  if (x < size.size()) request.height = side(std::string_view(size).substr(x + 1));
  if (!request.width || !request.height)
    fields.refuse("size", "is not a size, expected WIDTHxHEIGHT or auto");
}

std::string quality_of(const JsonFields& fields) {
  const std::string quality =
      fields.word("quality", {"auto", "low", "medium", "high", "standard", "hd"}).value_or("auto");
  if (quality == "hd") return "high";
  return quality == "auto" || quality == "standard" ? "medium" : quality;
}

// The API's output_compression is a quality: 100, its default, is the best.
ImageEncoding encoding_of(const JsonFields& fields) {
  ImageEncoding encoding;
  const auto format = fields.word("output_format", {"png", "jpeg", "webp"});
  if (format) encoding.format = image_format(*format).value_or(ImageFormat::png);
  const auto quality = fields.integer("output_compression", 0, 100);
  if (encoding.format != ImageFormat::png) encoding.quality = static_cast<int>(quality.value_or(100));
  fields.word("background", {"transparent", "opaque", "auto"});
  return encoding;
}

// With these the API has images by address unless the request says otherwise; with all others, as text.
bool answers_by_address(const std::optional<std::string>& alias) {
  return alias && alias->starts_with("dall-e-");
}

}  // namespace

bool is_openai_model(const std::string& name) {
  static constexpr std::array<std::string_view, 3> kFamilies{"dall-e-", "gpt-image-", "chatgpt-image-"};
  return std::any_of(kFamilies.begin(), kFamilies.end(),
                     [&](std::string_view family) { return name.starts_with(family); });
}

std::uint32_t steps_of_quality(const std::string& quality, std::uint32_t usual) {
  const std::uint32_t steps = quality == "low" ? usual / 2 : quality == "high" ? usual + usual / 2 : usual;
  return std::clamp<std::uint32_t>(steps, 1, 50);
}

ImageRequest read_image_request(const JsonFields& fields,
                                const std::function<bool(const std::string&)>& exists) {
  ImageRequest image;
  GenerateRequest& request = image.request;
  const auto prompt = fields.text("prompt");
  if (!prompt) fields.refuse("prompt", "is missing, expected a text");
  request.prompt = *prompt;
  take_engine_fields(fields, request);
  take_model_field(fields, request);
  if (request.model && is_openai_model(*request.model) && !exists(*request.model)) {
    image.alias = std::exchange(request.model, std::nullopt);
  }
  // Ten is theirs; models of ours make as many as on every other route.
  request.images = fields.integer("n", 1, request.model ? kMostOfOurs : kMostOfTheirs).value_or(1);
  take_size(fields, request);
  image.fit = fields.boolean("fit_sizes", true) && !request.model && request.width.has_value();
  image.quality = quality_of(fields);
  image.form.encoding = encoding_of(fields);
  const auto form = fields.word("response_format", {"url", "b64_json"});
  image.by_address = form ? *form == "url" : answers_by_address(image.alias);
  image.form.metadata = metadata_field(fields);
  image.stream = fields.boolean("stream", false);
  image.partial_images = static_cast<std::uint32_t>(fields.integer("partial_images", 0, 3).value_or(0));
  image.keep_alive = keep_alive_field(fields);
  return image;
}

}  // namespace roundhouse::host::openai
