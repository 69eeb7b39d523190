// SPDX-License-Identifier: Apache-2.0
#include "host/server/a1111/txt2img_request.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/log/terminal_text.h"
#include "host/server/a1111/names.h"
#include "host/server/a1111/settings.h"
#include "host/server/request_fields.h"

namespace roundhouse::host::a1111 {
namespace {

constexpr std::int64_t kMostImages = 16;
constexpr std::size_t kMostNotes = 20;

bool is_0_or_1(const nlohmann::json& value) {
  if (!value.is_number()) return false;
  const auto number = value.get<double>();
  return number == 0 || number == 1;
}

[[noreturn]] void unsupported(const std::string& what) {
  throw Error(RH_CAPABILITY_UNSUPPORTED, what);
}

void refuse_what_nobody_does(const JsonFields& fields) {
  for (const char* field : {"enable_hr", "restore_faces", "tiling"}) {
    if (fields.boolean(field, false)) unsupported(std::string(field) + ": no engine does that");
  }
  if (fields.number("subseed_strength").value_or(0) != 0)
    unsupported("subseed_strength: no engine makes variations between two seeds");
  const std::string script = fields.text("script_name").value_or("");
  if (!script.empty()) unsupported("script_name: script '" + script + "' was not found: there are none");
  const auto scripts = fields.object("alwayson_scripts");
  if (scripts && !scripts->value().empty()) {
    unsupported("alwayson_scripts: script '" + scripts->value().begin().key() +
                "' was not found: there are none");
  }
}

void refuse_lora(const std::string& prompt) {
  for (const char* mark : {"<lora:", "<lyco:", "<hypernet:"}) {
    if (prompt.find(mark) == std::string::npos) continue;
    // Not which: it is a part of the prompt, and messages are logged.
    throw Error(RH_LORA_UNSUPPORTED_ENGINE,
                "prompt: has '" + std::string(mark) + "...>', and no engine takes a LoRA");
  }
}

// The side without what is beyond the model's multiple; none of a side that is too small is left.
std::optional<std::int64_t> side(const JsonFields& fields, const char* name, std::int64_t multiple) {
  const auto value = fields.integer(name);
  if (!value || *value < multiple) return value;
  return *value / multiple * multiple;
}

// Of the model that the request means; of an engine without models, sides of any size.
struct ModelWords {
  std::int64_t multiple = 1;
  ModelDefaults defaults;
};

ModelWords words_of_model(const GenerateRequest& request, const Services& services) {
  const auto engine = request.engine ? request.engine : services.registry.default_engine();
  if (engine && !request.model) {
    const auto registry = services.registry.snapshot();
    const EngineRecord* record = registry->find(*engine);
    if (record != nullptr && has_capability(record->capabilities(), "feature", "modelless")) return {};
  }
  const ResolvedModel model =
      services.models().resolve(request.model.value_or(ModelCatalogue::kDefaultModel));
  return {model.size.multiple_of, model.defaults};
}

void take_override_settings(Txt2ImgRequest& txt2img, const JsonFields& fields) {
  const auto options = fields.object("override_settings");
  if (!options) return;
  take_options(*options, txt2img.request);
  txt2img.checkpoint = options->text("sd_model_checkpoint").value_or("");
  take_form(*options, txt2img.form);
  txt2img.keep_options = !fields.boolean("override_settings_restore_afterwards", true);
}

void take_numbers(Txt2ImgRequest& txt2img, const JsonFields& fields) {
  txt2img.batch_size = static_cast<std::uint32_t>(fields.integer("batch_size", 1, kMostImages).value_or(1));
  txt2img.n_iter = static_cast<std::uint32_t>(fields.integer("n_iter", 1, kMostImages).value_or(1));
  GenerateRequest& request = txt2img.request;
  request.images = std::int64_t{txt2img.batch_size} * txt2img.n_iter;
  if (request.images > kMostImages) {
    fields.refuse("n_iter", fmt::format("times batch_size are {} images, expected at most {}", request.images,
                                        kMostImages));
  }
  request.seed = fields.integer("seed");
  request.steps = fields.integer("steps");
  if (const auto scale = fields.number("cfg_scale")) request.guidance = guidance_of_cfg_scale(*scale);
}

void note_what_is_ignored(Txt2ImgRequest& txt2img, const JsonFields& fields) {
  const auto styles = fields.list("styles");
  if (styles && !styles->empty()) txt2img.notes.emplace_back("styles: there are none here");
  if (fields.boolean("save_images", false)) {
    txt2img.notes.emplace_back("save_images: images are not kept on this side");
  }
}

// What a client sets for this image alone, and nothing here looks at.
void note_other_settings(Txt2ImgRequest& txt2img, const JsonFields& fields) {
  const auto options = fields.object("override_settings");
  if (!options) return;
  for (const auto& [name, value] : options->value().items()) {
    if (is_read_option(name)) continue;
    if (name == "CLIP_stop_at_last_layers" && is_0_or_1(value)) continue;
    txt2img.notes.push_back("override_settings." + terminal_text(name) + ": has no effect here");
    if (txt2img.notes.size() >= kMostNotes) return;
  }
}

// "true" as true, "2" as 2.
nlohmann::json plain_value(const std::string& text) {
  if (text.empty()) return nullptr;
  const auto value = nlohmann::json::parse(text, nullptr, false);
  return value.is_number() || value.is_boolean() ? value : nlohmann::json(text);
}

}  // namespace

JsonFields with_plain_values(const JsonFields& fields) {
  nlohmann::json body = fields.value();
  for (const char* name : {"steps",
                           "width",
                           "height",
                           "seed",
                           "cfg_scale",
                           "batch_size",
                           "n_iter",
                           "subseed",
                           "subseed_strength",
                           "denoising_strength",
                           "mask_blur",
                           "inpainting_mask_invert",
                           "include_init_images",
                           "send_images",
                           "save_images",
                           "enable_hr",
                           "restore_faces",
                           "tiling",
                           "override_settings_restore_afterwards",
                           "fit_sizes",
                           "metadata"}) {
    const auto found = body.find(name);
    if (found != body.end() && found->is_string()) *found = plain_value(found->get<std::string>());
  }
  for (const char* name : {"send_images", "save_images", "enable_hr", "restore_faces", "tiling",
                           "override_settings_restore_afterwards", "fit_sizes", "metadata"}) {
    const auto found = body.find(name);  // "0" and 0 as false, as the original's models read them
    if (found != body.end() && is_0_or_1(*found)) *found = found->get<double>() > 0;
  }
  return JsonFields(std::move(body));
}

double guidance_of_cfg_scale(double cfg_scale) {
  return cfg_scale >= 0 && cfg_scale < 1 ? 0 : cfg_scale - 1;
}

double cfg_scale_of_guidance(double guidance) {
  return guidance + 1;
}

Txt2ImgRequest read_txt2img(const JsonFields& fields, const Services& services, const Settings& settings) {
  refuse_what_nobody_does(fields);
  Txt2ImgRequest txt2img;
  GenerateRequest& request = txt2img.request;
  request.prompt = fields.text("prompt").value_or("");
  request.may_be_blank = true;
  request.negative_prompt = fields.text("negative_prompt");
  refuse_lora(request.prompt);
  if (const std::string checkpoint = settings.checkpoint(); !checkpoint.empty())
    take_checkpoint(checkpoint, request);
  txt2img.form = settings.form();
  take_override_settings(txt2img, fields);
  txt2img.form.metadata = txt2img.form.metadata && metadata_field(fields);
  if (auto engine = fields.text("engine")) request.engine = std::move(engine);
  request.refuse_long_prompt = fields.word("long_prompt", {"cut", "error"}) == "error";
  take_numbers(txt2img, fields);
  const auto registry = services.registry.snapshot();
  const auto note = [&](const std::optional<std::string>& text) {
    if (text) txt2img.notes.push_back(*text);
  };
  note(take_schedule(fields.text("scheduler").value_or(""), *registry, request));
  const std::string older = fields.text("sampler_index").value_or("");
  note(take_sampler(fields.text("sampler_name").value_or(older), *registry, request));
  const ModelWords model = words_of_model(request, services);
  note(settle_schedule(*registry, model.defaults, request));
  request.width = side(fields, "width", model.multiple);
  request.height = side(fields, "height", model.multiple);
  const bool sized = request.width || request.height;
  if (sized && !request.model && services.fit_sizes && fields.boolean("fit_sizes", true))
    note(fit_size(request, services.models()));
  txt2img.send_images = fields.boolean("send_images", true);
  note_what_is_ignored(txt2img, fields);
  note_other_settings(txt2img, fields);
  return txt2img;
}

}  // namespace roundhouse::host::a1111
