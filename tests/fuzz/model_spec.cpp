// SPDX-License-Identifier: Apache-2.0
// ModelSpecs: YAML from users, and JSON of the same fields from a stored model.
#include <nlohmann/json.hpp>

#include "host/store/model_catalogue.h"
#include "host/store/model_fetch.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace roundhouse;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const bool sound = host::model_spec_problems(text, "spec").empty();
  try {
    const host::ModelSpec spec = host::parse_model_spec(text, "spec");
    fuzz::require(sound, "what has problems is refused");
    for (const auto& fetch : host::fetches_of(spec))
      fuzz::require(!fetch.base.repository.empty() && !fetch.wants("../x"),
                    "nothing is fetched from outside");
  } catch (const Error& error) {
    fuzz::require(!sound && error.code() == RH_MODEL_INVALID, "what is refused has problems");
  }
  return 0;
}
