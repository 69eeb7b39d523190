// SPDX-License-Identifier: Apache-2.0
#include "host/server/request_fields.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/server/model_selector.h"
#include "host/session/size.h"

namespace roundhouse::host {
namespace {

template <typename Value>
void take(std::optional<Value>& target, std::optional<Value> value) {
  if (value) target = std::move(value);
}

}  // namespace

void take_engine_fields(const JsonFields& fields, GenerateRequest& request) {
  take(request.engine, fields.text("engine"));
  take(request.steps, fields.integer("steps"));
  take(request.guidance, fields.number("guidance"));
  take(request.cfg_normalization, fields.number("cfg_normalization"));
  take(request.cfg_truncation, fields.number("cfg_truncation"));
  take(request.seed, fields.integer("seed"));
  take(request.negative_prompt, fields.text("negative_prompt"));
  take(request.sampler, fields.text("sampler"));
  take(request.schedule, fields.text("schedule"));
  take(request.weights, fields.text("weights"));
  if (const auto word = fields.word("long_prompt", {"cut", "error"}))
    request.refuse_long_prompt = *word == "error";
}

void take_model_field(const JsonFields& fields, GenerateRequest& request) {
  const auto text = fields.text("model");
  if (!text) return;
  ModelSelector reference = parse_model_selector(*text);
  if (reference.engine && request.engine && *reference.engine != *request.engine) {
    fields.refuse("model", "names another engine than engine: '" + *request.engine + "'");
  }
  take(request.model, std::move(reference.model));
  take(request.engine, std::move(reference.engine));
}

std::optional<std::string> fit_size(GenerateRequest& request, const ModelCatalogue& models) {
  constexpr std::int64_t kLeast = 64, kMost = 4096;
  const ResolvedModel model = models.resolve(request.model.value_or(ModelCatalogue::kDefaultModel));
  const auto side = [&](std::optional<std::int64_t> asked, std::optional<std::uint32_t> usual) {
    return asked.value_or(usual.value_or(model.size.maximum));
  };
  const std::int64_t width = side(request.width, model.defaults.width);
  const std::int64_t height = side(request.height, model.defaults.height);
  if (std::min(width, height) < kLeast || std::max(width, height) > kMost) return std::nullopt;
  const Size size =
      snapped_size({static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height)}, model.size);
  if (size.width == width && size.height == height) return std::nullopt;
  request.width = size.width;
  request.height = size.height;
  const auto text = [](std::int64_t w, std::int64_t h) { return fmt::format("{}x{}", w, h); };
  return "the size " + text(width, height) + " became " + text(size.width, size.height) + ", which model '" +
         model.name + "' can draw";
}

bool metadata_field(const JsonFields& fields) {
  if (fields.has("metadata") && fields.value().at("metadata").is_object()) return true;
  return fields.boolean("metadata", true);
}

std::optional<KeepAlive> keep_alive_field(const JsonFields& fields) {
  if (!fields.has("keep_alive")) return std::nullopt;
  const nlohmann::json& value = fields.value().at("keep_alive");
  if (value.is_number()) return keep_alive_of(value.get<double>());
  return parse_keep_alive(fields.text("keep_alive").value_or(""));
}

}  // namespace roundhouse::host
