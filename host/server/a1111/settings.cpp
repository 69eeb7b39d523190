// SPDX-License-Identifier: Apache-2.0
#include "host/server/a1111/settings.h"

#include "host/server/generation.h"
#include "host/server/model_selector.h"
#include "host/text/json_text.h"

namespace roundhouse::host::a1111 {
namespace {

using nlohmann::ordered_json;

constexpr const char* kCheckpoint = "sd_model_checkpoint";

// As they are called there; a quality is of jpeg and webp alike.
constexpr const char* kFormat = "samples_format";
constexpr const char* kQuality = "jpeg_quality";
constexpr const char* kPngInfo = "enable_pnginfo";

const char* format_word(ImageFormat format) {
  return format == ImageFormat::jpeg ? "jpg" : name_of(format);
}

// Those that clients look at. They are facts: changing others than the model and the form of the files
// changes nothing.
void get_options(const Settings& settings, http::Exchange& exchange) {
  const std::string checkpoint = settings.checkpoint();
  ordered_json json;
  json[kCheckpoint] = checkpoint.empty() ? ModelCatalogue::kDefaultModel : checkpoint;
  json["sd_checkpoint_hash"] = "";
  json["sd_vae"] = "Automatic";
  json["CLIP_stop_at_last_layers"] = 1;
  const ImageFileForm form = settings.form();
  json[kFormat] = format_word(form.encoding.format);
  json[kQuality] = form.encoding.quality.value_or(kUsualQuality);
  json["samples_save"] = false;
  json[kPngInfo] = form.metadata;
  exchange.send(200, http::kJson, json_text(json));
}

void post_options(const Services& services, Settings& settings, http::Exchange& exchange) {
  const JsonFields fields = JsonFields::parse(exchange.request().body);
  ImageFileForm form = settings.form();
  take_form(fields, form);
  if (const auto checkpoint = fields.text(kCheckpoint)) {
    check_checkpoint(services, *checkpoint);
    settings.set_checkpoint(*checkpoint);
  }
  settings.set_form(form);
  exchange.send(200, http::kJson, "{}");
}

// Whatever is loaded: there is one model at a time in that world.
void unload_checkpoint(const Services& services, http::Exchange& exchange) {
  services.pool.unload_all();
  exchange.send(200, http::kJson, "{}");
}

void reload_checkpoint(const Services& services, const Settings& settings, http::Exchange& exchange) {
  GenerateRequest request;
  if (const std::string checkpoint = settings.checkpoint(); !checkpoint.empty())
    take_checkpoint(checkpoint, request);
  load_model(services, exchange, request, std::nullopt);
  exchange.send(200, http::kJson, "{}");
}

}  // namespace

std::string Settings::checkpoint() const {
  const std::lock_guard lock(mutex_);
  return checkpoint_;
}

void Settings::set_checkpoint(std::string reference) {
  const std::lock_guard lock(mutex_);
  checkpoint_ = std::move(reference);
}

ImageFileForm Settings::form() const {
  const std::lock_guard lock(mutex_);
  return form_;
}

void Settings::set_form(const ImageFileForm& form) {
  const std::lock_guard lock(mutex_);
  form_ = form;
}

void take_form(const JsonFields& options, ImageFileForm& form) {
  if (const auto word = options.word(kFormat, {"png", "jpg", "jpeg", "webp"}))
    form.encoding.format = image_format(*word).value_or(ImageFormat::png);
  if (const auto quality = options.integer(kQuality, 1, 100))
    form.encoding.quality = static_cast<int>(*quality);
  form.metadata = options.boolean(kPngInfo, form.metadata);
}

bool is_read_option(std::string_view name) {
  return name == "sd_model_checkpoint" || name == "engine" || name == kFormat || name == kQuality ||
         name == kPngInfo;
}

void take_checkpoint(const std::string& reference, GenerateRequest& request) {
  // As our list of models calls the file, which is none: no name of a model ends so.
  constexpr std::string_view kEnding = ".safetensors";
  const bool listed = reference.ends_with(kEnding) && reference.find('/') == std::string::npos;
  ModelSelector named = parse_model_selector(
      listed ? reference.substr(0, reference.size() - kEnding.size()) : reference, kCheckpoint);
  request.model = std::move(named.model);
  request.engine = std::move(named.engine);
}

void take_options(const JsonFields& options, GenerateRequest& request) {
  if (const auto reference = options.text(kCheckpoint)) take_checkpoint(*reference, request);
  if (auto engine = options.text("engine")) request.engine = std::move(engine);
}

void check_checkpoint(const Services& services, const std::string& reference) {
  GenerateRequest request;
  take_checkpoint(reference, request);
  place_model(request, *services.registry.snapshot(), services.models());
}

void add_settings_routes(http::Router& router, const Services& services,
                         const std::shared_ptr<Settings>& settings) {
  router.add("GET", "/sdapi/v1/options", {},
             [settings](http::Exchange& exchange) { get_options(*settings, exchange); });
  router.add("POST", "/sdapi/v1/options", {}, [&services, settings](http::Exchange& exchange) {
    post_options(services, *settings, exchange);
  });
  router.add("POST", "/sdapi/v1/unload-checkpoint", {},
             [&services](http::Exchange& exchange) { unload_checkpoint(services, exchange); });
  router.add("POST", "/sdapi/v1/reload-checkpoint", {}, [&services, settings](http::Exchange& exchange) {
    reload_checkpoint(services, *settings, exchange);
  });
}

}  // namespace roundhouse::host::a1111
