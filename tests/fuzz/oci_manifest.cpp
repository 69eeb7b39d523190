// SPDX-License-Identifier: Apache-2.0
// JSON of an OCI image layout, as an archive or a registry gives it: manifest, index and model config.
#include "host/store/model_config.h"
#include "host/store/oci_index.h"
#include "host/store/small_file.h"
#include "tests/fuzz/target.h"

namespace {

using namespace roundhouse;

template <class Work>
void try_it(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    fuzz::require(error.code() == RH_MODEL_INVALID || error.code() == RH_UNSAFE_NAME,
                  "what is damaged is refused as invalid or unsafe");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try_it([&] {
    for (const host::ModelFile& file : host::parse_model_manifest(text).files)
      fuzz::require(!file.path.empty() && file.path.front() != '/', "paths stay in the model");
  });
  try_it([&] {
    const std::string written = host::OciIndex::parse(text, "index").text();
    fuzz::require(host::OciIndex::parse(written, "index").text() == written,
                  "an index survives being written");
  });
  try_it([&] {
    const std::string written = host::model_config_text(host::parse_model_config(text, "m"));
    fuzz::require(host::model_config_text(host::parse_model_config(written, "m")) == written,
                  "a config survives being written");
  });
  try_it([&] { host::references_of(host::parse_json_object(text, "json"), "json"); });
  return 0;
}
