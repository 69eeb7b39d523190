// SPDX-License-Identifier: Apache-2.0
// The classes that a plugin author derives from: an Engine opens Models, an ImageModel makes images, a
// TextModel answers, an EmbeddingModel makes vectors.
// plugin.hpp turns them into the C ABI; whatever they throw becomes a status code there.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "roundhouse/embedding.hpp"
#include "roundhouse/error.hpp"
#include "roundhouse/facts.hpp"
#include "roundhouse/floor.hpp"
#include "roundhouse/host.hpp"
#include "roundhouse/image.hpp"
#include "roundhouse/options.hpp"
#include "roundhouse/text.hpp"

namespace roundhouse {

// What an engine is started with. A constructor that knows options reads them; the rest is refused after it.
struct EngineConfig {
  Host host;              // may be copied and kept: valid until deinit
  std::uint32_t threads;  // at least 1
  std::string device;     // one of the descriptor's devices
  Options& options;       // valid in the constructor
};

// How the host follows and stops the opening of a model.
class LoadSink {
 public:
  // `sink` may be NULL: nobody listens.
  explicit LoadSink(const rh_load_sink* sink) : sink_(sink == nullptr ? nullptr : &checked(sink, "sink")) {}

  // `fraction` of the work is done, 0 to 1, never falling. On the thread of open only.
  void progress(double fraction) {
    if (sink_ != nullptr && sink_->progress != nullptr) sink_->progress(sink_->context, fraction);
  }

  // Whether to stop. [any-thread]
  bool cancelled() const {
    return sink_ != nullptr && sink_->cancelled != nullptr && sink_->cancelled(sink_->context) != 0;
  }

  // Throws CANCELLED when the host asks to stop.
  void check_cancelled() const {
    if (cancelled()) throw Error(RH_CANCELLED, "cancelled while the model was opened");
  }

 private:
  const rh_load_sink* sink_;
};

// Where a model comes from; valid for the call of open.
struct ModelSource {
  std::string directory;             // absolute; empty only for an engine with the feature "modelless"
  std::string architecture;          // empty when directory is
  std::uint64_t memory_limit_bytes;  // 0 = no limit is known
  Options& options;
  LoadSink& sink;
};

namespace detail {

// A source as the host gave it, read for the length of a call.  `reader` is who is said to read the options.
class SourceReader {
 public:
  explicit SourceReader(const rh_model_source& source, std::string reader = "the engine")
      : options_(source.options, std::move(reader)),
        sink_(source.sink),
        model_{std::string(view_of(source.directory)), std::string(view_of(source.architecture)),
               source.memory_limit_bytes, options_, sink_} {}
  SourceReader(const SourceReader&) = delete;
  SourceReader& operator=(const SourceReader&) = delete;

  const ModelSource& model() const { return model_; }
  Options& options() { return options_; }

 private:
  Options options_;
  LoadSink sink_;
  ModelSource model_;
};

}  // namespace detail

// An open model. Destroyed by close: its destructor frees everything.
class Model {
 public:
  Model() = default;
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  virtual ~Model() = default;

  // "dtype.<stage>" facts and whatever else is worth telling; asked once, after open. "architecture" is added
  // from the source when missing.
  virtual Facts describe() const { return {}; }

  // How many calls of this model may be under way at once, each on a thread of its own (rh.concurrency/1):
  // at least 1, the same until close. [any-thread]
  virtual std::uint32_t calls() const noexcept { return 1; }

  // The model side of an extension that these classes do not cover; nullptr = cannot do it. [any-thread]
  virtual const void* extension([[maybe_unused]] std::string_view id) { return nullptr; }
};

// A model that speaks rh.image/1.
class ImageModel : public Model {
 public:
  // Makes one image: reads its options, reports progress, calls sink.image() once. Throws on failure.
  // [model-thread]: as many at once as calls() says.
  virtual void generate(const ImageRequest& request, Options& options, Sink& sink) = 0;
};

// A model that speaks rh.text/1, and one that speaks rh.embedding/1. One that speaks both derives from Model
// and the two tasks.
class TextModel : public Model, public TextTask {};
class EmbeddingModel : public Model, public EmbeddingTask {};

// An engine in use. Made with (const EngineConfig&) or no argument; destroyed by destroy.
class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  // "simd", "blas" and the like; asked once, after construction. "device" and "threads" are added from the
  // configuration when missing.
  virtual Facts describe() const { return {}; }

  // Opens a model; never returns nullptr. Throws on failure. [engine-thread]
  virtual std::unique_ptr<Model> open(const ModelSource& source) = 0;

  // The engine side of an extension; nullptr = has none. [any-thread]
  virtual const void* extension([[maybe_unused]] std::string_view id) { return nullptr; }
};

// An engine whose models are all of the class M, made with (const ModelSource&) or no argument: what is left
// to write is the descriptor.
template <class M>
class EngineOf : public Engine {
 public:
  std::unique_ptr<Model> open([[maybe_unused]] const ModelSource& source) override {
    if constexpr (std::is_constructible_v<M, const ModelSource&>) {
      return std::make_unique<M>(source);
    } else {
      return std::make_unique<M>();
    }
  }
};

// The object behind a C handle, for the functions of an extension written by hand.
template <class Derived>
Derived& engine_of(rh_engine* engine) {
  return static_cast<Derived&>(*static_cast<Engine*>(engine->data));
}
template <class Derived>
Derived& model_of(rh_model* model) {
  return static_cast<Derived&>(*static_cast<Model*>(model->data));
}

}  // namespace roundhouse
