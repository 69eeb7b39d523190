// SPDX-License-Identifier: Apache-2.0
#include "host/store/validate.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "host/store/file.h"
#include "host/store/gguf_header.h"
#include "host/store/model_catalogue.h"
#include "host/store/model_files.h"
#include "host/store/small_file.h"
#include "host/store/weight_files.h"
#include "host/text/json_text.h"

namespace roundhouse::host {
namespace {

using nlohmann::json;

constexpr std::size_t kMaximumJsonBytes = 64 << 20;
constexpr std::uint64_t kLengthBytes = 8;

const std::map<std::string, std::uint64_t> kDtypeBits = {
    {"BOOL", 8}, {"U8", 8},   {"I8", 8},   {"F8_E4M3", 8}, {"F8_E5M2", 8},
    {"U16", 16}, {"I16", 16}, {"F16", 16}, {"BF16", 16},   {"U32", 32},
    {"I32", 32}, {"F32", 32}, {"U64", 64}, {"I64", 64},    {"F64", 64}};

class Inspection {
 public:
  std::vector<Error> run(const std::filesystem::path& directory) {
    try {
      inspect_model_directory(directory);
    } catch (const Error& error) {
      if (error.code() == RH_MODEL_NOT_FOUND) throw;
      add(error);
    }
    for (const SourceFile& file : model_files(directory)) {
      try {
        if (is_read(file.path)) refuse_pointer(file.file, file.path);
        if (file.path.ends_with(".json")) look_at_json(file);
        if (file.path.ends_with(".safetensors")) look_at_weights(file);
        if (is_gguf(file.path)) read_gguf_header(file.file, file.path);
      } catch (const Error& error) {
        add(error);
      }
    }
    look_at_indexes();
    return std::move(problems_);
  }

 private:
  static bool is_read(const std::string& path) {
    return path.ends_with(".json") || path.ends_with(".safetensors") || is_gguf(path);
  }

  void add(const Error& error) {
    const auto same = [&](const Error& other) { return std::string(other.what()) == error.what(); };
    if (std::none_of(problems_.begin(), problems_.end(), same)) problems_.push_back(error);
  }
  void add(const std::string& message) { add(Error(RH_MODEL_INVALID, message)); }

  void look_at_json(const SourceFile& file) {
    const auto text = read_small_file(file.file, file.path, kMaximumJsonBytes);
    if (!text || (text->starts_with("[") && json::accept(*text))) return;  // not one that we read
    const json object = parse_json_object(*text, file.path);
    if (file.path.ends_with(".safetensors.index.json")) indexes_.emplace(file.path, object);
  }

  // The header of a safetensors file; none, with a problem, for what is not one.
  std::optional<json> header_of(const SourceFile& file, std::uint64_t& header_bytes) {
    const File opened = open_for_reading(file.file, file.path, true);
    std::string text(kLengthBytes, '\0');
    const auto read = [&](std::uint64_t offset) {
      std::size_t done = 0;
      while (done < text.size()) {
        const ssize_t count =
            ::pread(opened.get(), text.data() + done, text.size() - done, static_cast<off_t>(offset + done));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) throw_system(file.path, errno);
        if (count == 0) return false;
        done += static_cast<std::size_t>(count);
      }
      return true;
    };
    if (!read(0)) {
      add(fmt::format("{}: truncated: {} bytes are too few for a safetensors file", file.path, file.size));
      return std::nullopt;
    }
    std::uint64_t length = 0;
    for (std::size_t i = kLengthBytes; i-- > 0;)
      length = length << 8 | static_cast<unsigned char>(text[i]);
    if (length > kMaximumHeaderBytes || length > file.size - kLengthBytes) {
      add(fmt::format("{}: header: of {} bytes in a file of {}", file.path, length, file.size));
      return std::nullopt;
    }
    text.resize(static_cast<std::size_t>(length));
    if (!read(kLengthBytes)) throw Error(RH_IO_ERROR, file.path + ": changed while it was read");
    header_bytes = kLengthBytes + length;
    return parse_json_object(text, file.path + ": header");
  }

  struct Range {
    std::uint64_t begin, end;
    std::string name;
  };

  std::optional<Range> range_of(const std::string& name, const json& tensor, const std::string& where) {
    const auto unsigned_list = [](const json& list) {
      return list.is_array() && std::all_of(list.begin(), list.end(),
                                            [](const json& value) { return value.is_number_unsigned(); });
    };
    if (!tensor.is_object() || !unsigned_list(tensor.value("shape", json())) ||
        !unsigned_list(tensor.value("data_offsets", json())) || tensor.at("data_offsets").size() != 2) {
      add(where + ": expected dtype, shape and two data_offsets");
      return std::nullopt;
    }
    const Range range{tensor.at("data_offsets")[0], tensor.at("data_offsets")[1], name};
    if (range.begin > range.end) {
      add(where + ": data_offsets: end before they begin");
      return std::nullopt;
    }
    const json dtype = tensor.value("dtype", json());
    const auto bits = dtype.is_string() ? kDtypeBits.find(dtype.get<std::string>()) : kDtypeBits.end();
    if (!dtype.is_string() || capability_dtype(dtype.get<std::string>()).empty())
      add(where + ": dtype: " + json_text(dtype) + " is not the name of a type");
    if (bits == kDtypeBits.end()) return range;  // a type whose size is not known here
    std::uint64_t size = bits->second / 8;
    for (const std::uint64_t side : tensor.at("shape")) {
      if (__builtin_mul_overflow(size, side, &size)) {
        add(where + ": shape: has more bytes than can be counted");
        return range;
      }
    }
    if (size != range.end - range.begin)
      add(fmt::format("{}: {} bytes, expected {} of dtype and shape", where, range.end - range.begin, size));
    return range;
  }

  void look_at_weights(const SourceFile& file) {
    std::uint64_t header_bytes = 0;
    const auto header = header_of(file, header_bytes);
    if (!header) return;
    std::vector<Range> ranges;
    std::set<std::string>& names = tensors_[file.path];
    for (const auto& [name, tensor] : header->items()) {
      if (name == "__metadata__") continue;
      names.insert(name);
      if (auto range = range_of(name, tensor, file.path + ": tensor '" + name + "'"))
        ranges.push_back(*range);
    }
    std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) {
      return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
    });
    std::uint64_t at = 0;
    for (const Range& range : ranges) {
      if (range.begin != at)
        add(fmt::format("{}: tensor '{}' begins at {}, {}{}", file.path, range.name, range.begin,
                        (range.begin < at ? "within the one before, which ends at " : "after a gap from "),
                        at));
      at = std::max(at, range.end);
    }
    const std::uint64_t data = file.size - header_bytes;
    if (at > data)
      add(fmt::format("{}: truncated: its tensors need {} bytes after the header, {} are there", file.path,
                      at, data));
    if (at < data) add(fmt::format("{}: has {} bytes after its last tensor", file.path, data - at));
  }

  void look_at_indexes() {
    for (const auto& [path, index] : indexes_) {
      const auto map = index.find("weight_map");
      if (map == index.end() || !map->is_object()) continue;  // inspect_model_directory says it
      const std::string folder = path.substr(0, path.rfind('/') + 1);
      for (const auto& [tensor, shard] : map->items()) {
        if (!shard.is_string()) continue;
        const auto held = tensors_.find(folder + shard.get<std::string>());
        if (held != tensors_.end() && !held->second.contains(tensor))
          add(path + ": weight_map: '" + tensor + "' is not in " + shard.get<std::string>());
      }
    }
  }

  std::vector<Error> problems_;
  std::map<std::string, std::set<std::string>> tensors_;  // by weight file
  std::map<std::string, json> indexes_;
};

}  // namespace

void require_whole_model(const std::filesystem::path& directory) {
  list_model_files(directory, Links::none);
  const std::vector<Error> problems = model_directory_problems(directory);
  if (!problems.empty()) throw Error(problems.front());
}

std::vector<Error> model_directory_problems(const std::filesystem::path& directory) {
  return Inspection().run(directory);
}

}  // namespace roundhouse::host
