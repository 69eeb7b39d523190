// SPDX-License-Identifier: Apache-2.0
// Fields of the pixel-art server's clients, and ours beside them.
#include "host/server/native/generate_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "host/server/http/http_error.h"
#include "host/server/image_to_image.h"
#include "host/server/json_fields.h"
#include "host/server/native/progress_table.h"
#include "host/server/request_fields.h"
#include "host/session/size.h"

namespace roundhouse::host {
namespace {

constexpr const char* kNegativePrompt =
    "blurry, smooth, antialiased, realistic, photographic, 3d render, low quality";
constexpr std::int64_t kBaseSide = 1024, kLargestSide = 2048;
constexpr std::int64_t kSteps = 30;
constexpr double kGuidanceScale = 7.5;

std::uint32_t read_side(const JsonFields& fields, const char* name) {
  const std::int64_t side = fields.integer(name).value_or(kBaseSide);
  if (side < 1 || side > kLargestSide) {
    throw Error(RH_INVALID_DIMENSION,
                fmt::format("{}: {} is out of range, expected 1 to {}", name, side, kLargestSide));
  }
  return static_cast<std::uint32_t>(side);
}

// What the image's size depends on: the model's limits, or those of an engine without models.
struct Target {
  SizeLimits limits;
  ModelDefaults defaults;
};

Target target_of(const GenerateRequest& request, const Services& services) {
  const std::optional<std::string> engine =
      request.engine ? request.engine : services.registry.default_engine();
  if (engine && !request.model) {
    const auto registry = services.registry.snapshot();
    const EngineRecord* record = registry->find(*engine);
    if (record != nullptr && !record->capabilities().contains("architecture")) {
      Target modelless;
      modelless.defaults.guidance = 0;
      return modelless;
    }
  }
  const ResolvedModel model =
      services.models().resolve(request.model.value_or(ModelCatalogue::kDefaultModel));
  return {model.size, model.defaults};
}

void read_guidance(NativeRequest& native, const JsonFields& fields, const ModelDefaults& defaults) {
  const std::optional<double> own = fields.number("guidance"), scale = fields.number("guidance_scale");
  if (own && scale) {
    throw Error(RH_INVALID_ARGUMENT, "guidance: give it or guidance_scale (guidance + 1), not both");
  }
  if (scale) {
    // A scale of 1 is that world's "off", as 0 is ours; below, there is no less than off.
    native.request.guidance = *scale >= 0 && *scale < 1 ? 0 : *scale - 1;
  } else if (!own && !defaults.guidance) {
    native.request.guidance = kGuidanceScale - 1;
  }
  const double guidance = native.request.guidance.value_or(defaults.guidance.value_or(0));
  if (!native.request.negative_prompt && guidance > 0) native.request.negative_prompt = kNegativePrompt;
}

void read_size(NativeRequest& native, const JsonFields& fields, const SizeLimits& limits) {
  native.asked_width = read_side(fields, "width");
  native.asked_height = read_side(fields, "height");
  const Size size = snapped_size({native.asked_width, native.asked_height}, limits);
  native.request.width = size.width;
  native.request.height = size.height;
  if (size.width == native.asked_width && size.height == native.asked_height) return;
  native.notes.push_back(fmt::format("the size {}x{} became {}x{}, which the model can draw",
                                     native.asked_width, native.asked_height, size.width, size.height));
}

// Nothing is added and nothing moved: absent values are the model's, others are taken or refused.
void read_exact(NativeRequest& native, const JsonFields& fields) {
  if (fields.has("guidance_scale")) {
    fields.refuse("guidance_scale", "cannot be given together with exact, expected guidance");
  }
  native.request.width = fields.integer("width");
  native.request.height = fields.integer("height");
  native.request.aspect = fields.text("aspect");
}

// What the pixel-art server does with the finished image.
void read_pixel_step(NativeRequest& native, const JsonFields& fields) {
  native.preserve_aspect = fields.boolean("preserve_aspect", true);
  native.fit_mode = fields.text("fit_mode").value_or("contain");
  if (native.fit_mode != "cover" && native.fit_mode != "stretch") native.fit_mode = "contain";
  const bool resize = fields.integer("pixel_width", 1, kLargestSide).has_value() ||
                      fields.integer("pixel_height", 1, kLargestSide).has_value();
  const bool reduce = fields.integer("colors").value_or(0) > 0;
  if (resize || reduce) {
    native.notes.emplace_back(
        "pixel_width, pixel_height and colors are not applied: the image has the size "
        "and the colors that it was drawn with");
  }
  if (fields.boolean("remove_background", false)) {
    native.notes.emplace_back("remove_background is not applied: the image has its background");
  }
}

void refuse_lora(const JsonFields& fields) {
  fields.number("lora_strength");
  const std::optional<std::string> lora = fields.text("lora_model");
  if (!lora || lora->empty() || *lora == "None") return;
  throw Error(RH_LORA_UNSUPPORTED_ENGINE, "lora_model: '" + *lora + "': no engine takes a LoRA");
}

void read_form(NativeRequest& native, const JsonFields& fields) {
  const auto format = image_format(fields.word("format", {"rgba", "png", "jpeg", "webp"}).value_or("rgba"));
  if (format) native.encoding = ImageEncoding{*format, std::nullopt};
  if (const auto quality = fields.integer("quality", 0, 100)) {
    if (!format || *format == ImageFormat::png)
      fields.refuse("quality", "is of jpeg and webp, expected one of them as format");
    native.encoding->quality = static_cast<int>(*quality);
  }
  native.metadata = metadata_field(fields);
  native.stream = fields.boolean("stream", false);
  native.preview_every = static_cast<std::uint32_t>(fields.integer("preview_every", 0, 50).value_or(0));
  native.id = fields.text("generation_id").value_or(random_uuid());
  if (!is_uuid(native.id)) fields.refuse("generation_id", "is not a UUID");
  native.keep_alive = keep_alive_field(fields);
}

}  // namespace

std::string decorated_prompt(const std::string& prompt) {
  std::string lower = prompt;
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  for (const char* said : {"pixel art", "pixel-art", "pixelart", "pixel_art"}) {
    if (lower.find(said) != std::string::npos) return prompt;
  }
  return prompt + ", pixel art, 8bit style, game sprite";
}

NativeRequest read_native_request(const http::Request& request, const Services& services) {
  const JsonFields fields = JsonFields::parse(request.body);
  NativeRequest native;
  native.prompt = fields.text("prompt").value_or("");
  if (native.prompt.find_first_not_of(" \t\r\n") == std::string::npos)
    throw http::HttpError(400, RH_INVALID_ARGUMENT, "No prompt provided");
  const bool exact = fields.boolean("exact", false);
  const bool decorate = fields.boolean("decorate", !exact);
  native.request.prompt = decorate ? decorated_prompt(native.prompt) : native.prompt;
  take_engine_fields(fields, native.request);
  native.request.model = fields.text("model");
  if (!native.request.model) native.request.model = fields.text("model_name");
  take_init_fields(fields, "init_image", "mask", "strength", native.request);
  if (exact) {
    read_exact(native, fields);
  } else {
    const Target target = target_of(native.request, services);
    const bool as_it_came = native.request.init && !fields.has("width") && !fields.has("height");
    if (!as_it_came) read_size(native, fields, target.limits);
    if (!native.request.steps && !target.defaults.steps) native.request.steps = kSteps;
    read_guidance(native, fields, target.defaults);
  }
  native.request.device = fields.text("device").value_or("auto");
  native.request.allow_cpu = fields.boolean("allow_cpu", false);
  refuse_lora(fields);
  read_pixel_step(native, fields);
  read_form(native, fields);
  return native;
}

}  // namespace roundhouse::host
