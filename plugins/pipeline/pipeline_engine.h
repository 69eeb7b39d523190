// SPDX-License-Identifier: Apache-2.0
// Binds the image pipelines of engines/ to the SDK: an engine plugin is its kernels and its descriptor.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engines/kernels/kernels.h"
#include "engines/tensor/error.h"
#include "engines/tokenizer/tokenizer.h"
#include "roundhouse/convert.hpp"
#include "roundhouse/estimate.hpp"
#include "roundhouse/inspect.hpp"
#include "roundhouse/plugin.hpp"
#include "roundhouse/rates.hpp"
#include "roundhouse/trace.hpp"

namespace roundhouse::pipeline {

// What every engine over these pipelines can do: tasks, architectures, formats, features, samplers,
// schedules, limits. A plugin adds its id, name, description, maturity and score.
Descriptor common_descriptor();

// Opens model directories and makes images with the kernels it was given.
class PipelineEngine : public Engine {
 public:
  using Exception = engines::Error;

  // The types that `convert` writes are in it; what is an engine's own is not.
  static Descriptor descriptor() { return common_descriptor(); }

  PipelineEngine(const EngineConfig& config, std::unique_ptr<engines::Kernels> kernels);

  Facts describe() const override;
  std::unique_ptr<Model> open(const ModelSource& source) override;
  // rh.estimate/1.
  Estimate estimate(const ModelSource& source, const ImageRequest& request, Options& options);
  // rh.inspect/1.
  void inspect(const ModelSource& source, InspectSink& sink);
  // rh.trace/1.
  void trace(const ModelSource& source, const ImageRequest& request, Options& options, TraceSink& sink);
  // rh.convert/1.
  void convert(const ConvertRequest& request, Options& options, ConvertSink& sink);
  // rh.rates/1: every type that weights can be stored in.
  const std::vector<std::string>& rated_weights() const;
  double measure_rate(const std::string& weights, double seconds);
  // rh.tokenize/1: the tokenizer of a directory, kept until another is asked for.
  const engines::Tokenizer& tokenizer_of(const std::string& directory);
  // An engine with extensions of its own asks this one for the rest.
  const void* extension(std::string_view id) override;

 private:
  Host host_;
  int threads_;
  std::unique_ptr<engines::Kernels> kernels_;
  std::string tokenizer_directory_;
  std::optional<engines::Tokenizer> tokenizer_;
};

}  // namespace roundhouse::pipeline
