// SPDX-License-Identifier: Apache-2.0
// A mapped .safetensors file and the views into it.
#include "engines/weights/safetensors.h"

#include <map>
#include <optional>

#include "engines/weights/json_file.h"
#include "engines/weights/mapped_file.h"
#include "engines/weights/safetensors_header.h"

namespace engines {
namespace {

std::optional<Dtype> float_dtype(std::string_view name) {
  if (name == "F32") return Dtype::f32;
  if (name == "BF16") return Dtype::bf16;
  if (name == "F16") return Dtype::f16;
  return std::nullopt;
}

}  // namespace

struct SafetensorsFile::State {
  explicit State(const std::filesystem::path& path) : shown(shown_path(path)), file(path, shown) {
    const auto header = read_safetensors_header({file.data(), file.size()}, shown);
    for (const auto& [name, entry] : header.entries) {
      const std::byte* const data = file.data() + header.data_offset + entry.begin;
      raws.emplace_hint(raws.end(), name, Raw{entry.dtype, entry.shape, data, entry.end - entry.begin});
      if (const auto dtype = float_dtype(entry.dtype))
        views.emplace_hint(views.end(), name, WeightView{data, *dtype, entry.shape});
    }
  }

  std::string shown;
  MappedFile file;
  std::map<std::string, Raw, std::less<>> raws;
  std::map<std::string, WeightView, std::less<>> views;
};

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : state_(std::make_unique<State>(path)) {
}
SafetensorsFile::~SafetensorsFile() = default;
SafetensorsFile::SafetensorsFile(SafetensorsFile&&) noexcept = default;
SafetensorsFile& SafetensorsFile::operator=(SafetensorsFile&&) noexcept = default;

const WeightView* SafetensorsFile::find(std::string_view name) const {
  const auto place = state_->views.find(name);
  return place == state_->views.end() ? nullptr : &place->second;
}

const SafetensorsFile::Raw* SafetensorsFile::raw(std::string_view name) const {
  const auto place = state_->raws.find(name);
  return place == state_->raws.end() ? nullptr : &place->second;
}

std::vector<std::string> SafetensorsFile::names() const {
  std::vector<std::string> names;
  names.reserve(state_->raws.size());
  for (const auto& [name, raw] : state_->raws)
    names.push_back(name);
  return names;
}

const std::string& SafetensorsFile::shown() const {
  return state_->shown;
}

const MappedFile& SafetensorsFile::file() const {
  return state_->file;
}

void SafetensorsFile::forget(const std::byte* first, std::size_t bytes) const {
  state_->file.forget(first, bytes);
}

}  // namespace engines
