// SPDX-License-Identifier: Apache-2.0
#include "host/app/verify.h"

#include "host/store/directory_manifest.h"
#include "host/store/gguf_header.h"
#include "host/store/small_file.h"
#include "host/store/validate.h"
#include "host/store/weight_files.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaximumSpecBytes = 1 << 20;

void verify_each(Store& store, const std::vector<StoredModel>& models, const ProgressOf& progress,
                 const std::function<void(const Verified&)>& seen) {
  for (const StoredModel& model : models)
    seen({model.name, model.digest, store.verify(model, progress("verifying " + model.name))});
}

std::vector<Error> gguf_problems(const std::string& path) {
  try {
    read_gguf_header(path, path);
    return {};
  } catch (const Error& error) {
    return {error};
  }
}

}  // namespace

std::string damage_text(const Verified& model) {
  if (model.damages.empty()) return "";
  const Damage& first = model.damages.front();
  return "model '" + model.name + "': file '" + first.file + "': " + first.kind + ": " + first.detail;
}

void verify_stored(const AppContext& context, const std::vector<std::string>& names,
                   const ProgressOf& progress, const std::function<void(const Verified&)>& seen) {
  Store store = context.store();
  std::vector<StoredModel> models;
  for (const std::string& name : names)
    models.push_back(store.get(ModelName::parse(name)));
  verify_each(store, models, progress, seen);
}

void verify_store(const AppContext& context, const ProgressOf& progress,
                  const std::function<void(const Verified&)>& seen) {
  Store store = context.store();
  verify_each(store, store.list(), progress, seen);
}

Verified verify_model_directory(const fs::path& directory, const ProgressOf& progress) {
  std::error_code ignored;
  const std::string name = directory.string();
  if (!fs::is_directory(directory, ignored))
    throw Error(RH_MODEL_NOT_FOUND, "model directory '" + name + "': no such directory");
  return {name, std::nullopt, verify_directory(directory, progress("verifying " + name))};
}

std::vector<Error> problems_of(const fs::path& path) {
  const std::string shown = path.string();
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return model_directory_problems(path);
  if (is_gguf(path)) return gguf_problems(shown);
  const auto text = read_small_file(path, shown, kMaximumSpecBytes);
  if (!text) throw Error(RH_IO_ERROR, shown + ": no such file or directory");
  return model_spec_problems(*text, shown);
}

}  // namespace roundhouse::host
