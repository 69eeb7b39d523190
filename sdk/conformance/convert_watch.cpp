// SPDX-License-Identifier: Apache-2.0
#include "sdk/conformance/convert_watch.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "roundhouse/floor.hpp"

namespace conformance {
namespace {

namespace fs = std::filesystem;

ConvertWatch& watch_of(void* context) {
  return *static_cast<ConvertWatch*>(context);
}

}  // namespace

Files files_of(const fs::path& directory, const std::string& without) {
  Files files;
  for (fs::recursive_directory_iterator it(directory), end; it != end; ++it) {
    const std::string path = it->path().lexically_relative(directory).string();
    if (!without.empty() && path == without) {
      it.disable_recursion_pending();
      continue;
    }
    std::error_code ignored;
    files[path] = fs::is_regular_file(it->path(), ignored)
                      ? fmt::format("{} bytes of {}", fs::file_size(it->path(), ignored),
                                    fs::last_write_time(it->path(), ignored).time_since_epoch().count())
                      : "";
  }
  return files;
}

Files contents_of(const fs::path& directory) {
  Files files;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream stream(entry.path(), std::ios::binary);
    files[entry.path().lexically_relative(directory).string()] =
        std::string(std::istreambuf_iterator<char>(stream), {});
  }
  return files;
}

rh_status ConvertWatch::run(rh_engine* engine, const rh_convert& convert, const rh_convert_request* request,
                            rh_error* error) {
  const rh_convert_sink sink{sizeof sink, 0, this, &on_progress, &on_tensor, &on_cancelled};
  report_.step("convert");
  return convert.run(engine, request, &sink, error);
}

void ConvertWatch::expect_told(const fs::path& target, const std::string& call) const {
  report_.expect(total_ > 0 && done_ == total_, "P38",
                 fmt::format("{} ended at {} of {} bytes", call, done_, total_));
  for (const auto& [file, bytes] : bytes_) {
    std::error_code error;
    const auto size = fs::file_size(target / file, error);
    report_.expect(
        !error && bytes <= size, "P38",
        fmt::format("{} told of {} bytes of tensors in '{}', which does not hold them", call, bytes, file));
  }
}

void ConvertWatch::on_progress(void* context, const rh_convert_progress* progress) {
  ConvertWatch& self = watch_of(context);
  self.report_.require(roundhouse::reaches_floor(progress) && progress->file != nullptr, "P10",
                       "convert sent a progress record that is too small or names no file");
  self.report_.expect(progress->done_bytes >= self.done_ && progress->done_bytes <= progress->total_bytes,
                      "P38", "convert: progress fell or went beyond its total");
  self.done_ = progress->done_bytes;
  self.total_ = progress->total_bytes;
}

void ConvertWatch::on_tensor(void* context, const rh_convert_tensor* tensor) {
  ConvertWatch& self = watch_of(context);
  self.report_.require(roundhouse::reaches_floor(tensor) && tensor->file != nullptr &&
                           tensor->name != nullptr && tensor->from != nullptr && tensor->to != nullptr,
                       "P10", "convert sent a tensor record that is too small or lacks a text");
  self.report_.expect(self.tensors_.emplace(tensor->file, tensor->name).second, "P38",
                      "convert told twice of tensor '" + std::string(tensor->name) + "'");
  std::uint64_t elements = 1;
  for (std::uint32_t i = 0; i < tensor->rank; ++i)
    elements *= tensor->shape[i];
  self.report_.expect(
      elements == tensor->elements, "P38",
      "convert: the shape of tensor '" + std::string(tensor->name) + "' contradicts its number of elements");
  self.bytes_[tensor->file] += tensor->size_bytes;
}

std::int32_t ConvertWatch::on_cancelled(void* context) {
  ConvertWatch& self = watch_of(context);
  ++self.asked_;
  return self.stop ? 1 : 0;
}

}  // namespace conformance
