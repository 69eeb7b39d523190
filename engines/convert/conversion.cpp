// SPDX-License-Identifier: Apache-2.0
#include "engines/convert/conversion.h"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <map>
#include <optional>

#include "engines/convert/component_names.h"
#include "engines/convert/component_plan.h"
#include "engines/convert/copy_file.h"
#include "engines/convert/model_parts.h"
#include "engines/convert/tensor_stream.h"
#include "engines/tensor/error.h"
#include "engines/weights/json_file.h"

namespace engines::conversion {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kRoomForHeaders = 1 << 20;  // of each file

// One conversion from plan to files.
class Conversion {
 public:
  Conversion(const ConversionRequest& request, std::span<const WeightClass> classes, ThreadPool& pool,
             ConversionRun& run)
      : request_(request), pool_(pool), run_(run), parts_(read_model_parts(request.source, classes)) {
    for (const Component& component : parts_.components) {
      check_cancelled();
      plans_.push_back(plan_component(request.source, component, request.type, request.gguf));
      total_ += plans_.back().bytes();
    }
    for (const PlainFile& file : parts_.files)
      total_ += file.size;
  }

  void work() {
    require_space();
    for (const PlainFile& file : parts_.files) {
      copy(file.path);
      done_ += file.size;
      tell(file.path, "");
    }
    for (ComponentPlan& plan : plans_) {
      write(plan);
      plan.weights.reset();  // its pages are of no use any more
    }
  }

 private:
  void check_cancelled() {
    if (run_.cancelled()) throw Error(RH_CANCELLED, "cancelled");
  }

  void tell(const std::string& file, const std::string& tensor) {
    check_cancelled();
    run_.progress(file, tensor, done_, total_);
  }

  void require_space() const {
    const std::uint64_t needed = total_ + kRoomForHeaders * (plans_.size() + 1);
    struct statvfs system {};
    if (::statvfs(request_.target.c_str(), &system) != 0) return;  // writing will say
    const std::uint64_t free = std::uint64_t{system.f_bavail} * system.f_frsize;
    if (needed <= free) return;
    throw Error(RH_INSUFFICIENT_STORAGE,
                fmt::format("the converted model needs {} bytes, {} are free in its place", needed, free));
  }

  void copy(const std::string& path) {
    make_folder(path);
    copy_file(request_.source / path, request_.target / path, path, [this] { check_cancelled(); });
  }

  void make_folder(const std::string& path) const {
    std::error_code error;
    const fs::path folder = (request_.target / path).parent_path();
    fs::create_directories(folder, error);
    if (error) throw Error(RH_IO_ERROR, "directory '" + folder.string() + "': " + error.message());
  }

  TensorWriter writer_for(const ComponentPlan& plan) const {
    std::vector<TensorSpec> tensors;
    for (const PlannedTensor& tensor : plan.tensors)
      tensors.push_back(tensor.spec);
    make_folder(plan.file);
    const fs::path file = request_.target / plan.file;
    if (!plan.gguf) return TensorWriter::safetensors(file, std::move(tensors), {{"format", "pt"}});
    return TensorWriter::gguf(file, component_keys(plan.component, request_.source, request_.type),
                              std::move(tensors));
  }

  // Copied files are read all the same: for their figures, and for numbers that are none.
  void write(ComponentPlan& plan) {
    if (plan.unchanged) copy(plan.file);
    std::optional<TensorWriter> writer;
    if (!plan.unchanged) writer.emplace(writer_for(plan));
    std::map<std::string, const PlannedTensor*> by_name;
    for (const PlannedTensor& tensor : plan.tensors)
      by_name[tensor.spec.name] = &tensor;
    std::vector<const PlannedTensor*> order;
    if (writer) {
      for (const TensorSpec& spec : writer->tensors())
        order.push_back(by_name.at(spec.name));
    } else {
      for (const auto& [name, tensor] : by_name)
        order.push_back(tensor);
    }
    for (const PlannedTensor* tensor : order)
      write(plan, *tensor, writer);
    if (writer) writer->finish();
  }

  void write(const ComponentPlan& plan, const PlannedTensor& tensor, std::optional<TensorWriter>& writer) {
    const std::string where = plan.component.files.front() + ": tensor " + in_quotes(tensor.spec.name);
    tell(plan.file, tensor.spec.name);
    for (const WeightView* part : tensor.parts)
      plan.weights->decode(*part);
    const RoundingError error =
        stream_tensor(tensor, where, pool_, [&](const std::byte* data, std::size_t bytes) {
          if (writer) writer->write(data, bytes);
          done_ += bytes;
          // What was read so far is of no use in memory any more.
          for (const WeightView* part : tensor.parts)
            plan.weights->forget(*part);
          tell(plan.file, tensor.spec.name);
        });
    for (const WeightView* part : tensor.parts)
      plan.weights->drop(*part);
    run_.tensor({plan.file, tensor.spec.name, tensor.parts.front()->dtype, tensor.spec.dtype,
                 tensor.spec.shape, tensor.spec.bytes(), error.squares, error.squares_of_errors});
  }

  const ConversionRequest& request_;
  ThreadPool& pool_;
  ConversionRun& run_;
  ModelParts parts_;
  std::vector<ComponentPlan> plans_;
  std::uint64_t done_ = 0, total_ = 0;
};

}  // namespace

void convert_model(const ConversionRequest& request, std::span<const WeightClass> classes, ThreadPool& pool,
                   ConversionRun& run) {
  if (!request.gguf && is_quantised(request.type))
    throw Error(RH_CAPABILITY_UNSUPPORTED, "type " + std::string(name_of(request.type)) +
                                               " is not written to safetensors, expected format gguf");
  Conversion(request, classes, pool, run).work();
}

}  // namespace engines::conversion
