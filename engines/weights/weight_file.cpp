// SPDX-License-Identifier: Apache-2.0
#include "engines/weights/weight_file.h"

#include <map>

#include "engines/weights/json_file.h"

namespace engines {

struct WeightFile::State {
  explicit State(const std::filesystem::path& path) : shown(shown_path(path)), file(path, shown) {}

  std::string shown;
  MappedFile file;
  std::map<std::string, Raw, std::less<>> raws;
  std::map<std::string, WeightView, std::less<>> views;
};

WeightFile::WeightFile(const std::filesystem::path& path) : state_(std::make_unique<State>(path)) {
}
WeightFile::~WeightFile() = default;
WeightFile::WeightFile(WeightFile&&) noexcept = default;
WeightFile& WeightFile::operator=(WeightFile&&) noexcept = default;

void WeightFile::add(const std::string& name, Raw raw, std::optional<Dtype> dtype) {
  if (dtype) state_->views.emplace(name, WeightView{raw.data, *dtype, raw.shape});
  state_->raws.emplace(name, std::move(raw));
}

const WeightView* WeightFile::find(std::string_view name) const {
  const auto place = state_->views.find(name);
  return place == state_->views.end() ? nullptr : &place->second;
}

const WeightFile::Raw* WeightFile::raw(std::string_view name) const {
  const auto place = state_->raws.find(name);
  return place == state_->raws.end() ? nullptr : &place->second;
}

std::vector<std::string> WeightFile::names() const {
  std::vector<std::string> names;
  names.reserve(state_->raws.size());
  for (const auto& [name, raw] : state_->raws)
    names.push_back(name);
  return names;
}

const std::string& WeightFile::shown() const {
  return state_->shown;
}

const MappedFile& WeightFile::file() const {
  return state_->file;
}

void WeightFile::forget(const std::byte* first, std::size_t bytes) const {
  state_->file.forget(first, bytes);
}

}  // namespace engines
