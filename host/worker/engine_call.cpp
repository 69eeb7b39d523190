// SPDX-License-Identifier: Apache-2.0
#include "host/worker/engine_call.h"

namespace roundhouse::host {
namespace {

rh_option record_of(const EngineOption& option) {
  rh_option record{sizeof(rh_option), RH_OPTION_STRING, option.name.c_str(), nullptr, 0, 0};
  if (const auto* text = std::get_if<std::string>(&option.value)) {
    record.string = text->c_str();
  } else if (const auto* integer = std::get_if<std::int64_t>(&option.value)) {
    record.type = RH_OPTION_INTEGER;
    record.integer = *integer;
  } else if (const auto* number = std::get_if<double>(&option.value)) {
    record.type = RH_OPTION_NUMBER;
    record.number = *number;
  } else {
    record.type = RH_OPTION_BOOLEAN;
    record.integer = std::get<bool>(option.value) ? 1 : 0;
  }
  return record;
}

}  // namespace

OptionRecords::OptionRecords(const std::vector<EngineOption>& options) {
  for (const EngineOption& option : options)
    items_.push_back(record_of(option));
  list_ = {sizeof(rh_options), static_cast<std::uint32_t>(items_.size()), items_.data()};
}

}  // namespace roundhouse::host
