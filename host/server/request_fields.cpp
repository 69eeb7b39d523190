// SPDX-License-Identifier: Apache-2.0
#include "host/server/request_fields.h"

#include "host/server/model_selector.h"

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

std::optional<KeepAlive> keep_alive_field(const JsonFields& fields) {
  if (!fields.has("keep_alive")) return std::nullopt;
  const nlohmann::json& value = fields.value().at("keep_alive");
  if (value.is_number()) return keep_alive_of(value.get<double>());
  return parse_keep_alive(fields.text("keep_alive").value_or(""));
}

}  // namespace roundhouse::host
