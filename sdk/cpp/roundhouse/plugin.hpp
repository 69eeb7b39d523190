// SPDX-License-Identifier: Apache-2.0
// From Engine classes to the C ABI. A whole plugin in C++ is its classes and one line:
//
//   RH_EXPORT const rh_plugin_entry_v1 rh_plugin_entry = roundhouse::plugin_entry<MyEngine>;
//
// MyEngine derives from roundhouse::Engine and has `static roundhouse::Descriptor descriptor()`. If its code
// throws an exception type of its own with code() and what(), `using Exception = TheType;` has it translated.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "roundhouse/descriptor.hpp"
#include "roundhouse/engine.hpp"
#include "roundhouse/entry.h"
#include "roundhouse/ext/concurrency.h"
#include "roundhouse/guard.hpp"

namespace roundhouse {
namespace detail {

template <class E, class Work>
rh_status guard_for(rh_error* error, Work&& work) noexcept {
  if constexpr (requires { typename E::Exception; }) {
    return guard<typename E::Exception>(error, std::forward<Work>(work));
  } else {
    return guard(error, std::forward<Work>(work));
  }
}

template <class T>
T& required(T* pointer, const char* name) {
  if (pointer == nullptr) throw Error(RH_INVALID_ARGUMENT, std::string(name) + ": NULL, expected a pointer");
  return *pointer;
}

// An open model and its C record; E is the engine class, whose exceptions are translated.
template <class E>
class ModelHandle {
 public:
  ModelHandle(std::unique_ptr<Model> model, std::string engine_id, Facts facts)
      : model_(std::move(model)), engine_id_(std::move(engine_id)), facts_(std::move(facts)) {}

  rh_model* record() { return &record_; }

 private:
  struct Record : rh_model {
    ModelHandle* handle;
  };

  static ModelHandle& of(rh_model* model) { return *static_cast<Record*>(model)->handle; }

  static void close(rh_model* model) {
    if (model != nullptr) delete &of(model);
  }

  static const rh_facts* describe(rh_model* model) {
    return model == nullptr ? nullptr : of(model).facts_.list();
  }

  static const void* get_extension(rh_model* model, const char* id) {
    if (model == nullptr || id == nullptr) return nullptr;
    static constexpr rh_image image{sizeof(rh_image), 0, &generate};
    static constexpr rh_concurrency concurrency{sizeof(rh_concurrency), 0, &calls};
    static constexpr rh_text text{sizeof(rh_text), 0, &answer, &render};
    static constexpr rh_embedding embedding{sizeof(rh_embedding), 0, &embed};
    Model& self = *of(model).model_;
    if (std::string_view(id) == RH_CONCURRENCY_ID && self.calls() != 1) return &concurrency;
    if (std::string_view(id) == RH_IMAGE_ID && dynamic_cast<ImageModel*>(&self) != nullptr) return &image;
    if (std::string_view(id) == RH_TEXT_ID && dynamic_cast<TextTask*>(&self) != nullptr) return &text;
    if (std::string_view(id) == RH_EMBEDDING_ID && dynamic_cast<EmbeddingTask*>(&self) != nullptr)
      return &embedding;
    const void* found = nullptr;
    guard_for<E>(nullptr, [&] { found = self.extension(id); });
    return found;
  }

  static std::uint32_t calls(rh_model* model) { return model == nullptr ? 1 : of(model).model_->calls(); }

  static rh_status generate(rh_model* model, const rh_image_request* request, const rh_image_sink* sink,
                            rh_error* error) {
    return guard_for<E>(error, [&] {
      ModelHandle& self = of(&required(model, "model"));
      const ImageRequest values = read_request(request);
      Options options(request->options, "engine '" + self.engine_id_ + "'");
      Sink ear(sink, values, options);
      dynamic_cast<ImageModel&>(*self.model_).generate(values, options, ear);
      options.refuse_unread();
      if (!ear.delivered()) throw Error(RH_ENGINE_INTERNAL, "generate ended without an image");
    });
  }

  static rh_status answer(rh_model* model, const rh_text_request* request, const rh_text_sink* sink,
                          rh_error* error) {
    return guard_for<E>(error, [&] {
      ModelHandle& self = of(&required(model, "model"));
      const TextRequest values = read_text_request(request);
      Options options(request->options, "engine '" + self.engine_id_ + "'");
      TextSink ear(sink, options);
      dynamic_cast<TextTask&>(*self.model_).generate(values, options, ear);
      options.refuse_unread();
      if (!ear.reported()) throw Error(RH_ENGINE_INTERNAL, "generate ended without a report");
    });
  }

  static rh_status render(rh_model* model, const rh_text_request* request, const rh_prompt_sink* sink,
                          rh_error* error) {
    return guard_for<E>(error, [&] {
      ModelHandle& self = of(&required(model, "model"));
      const TextRequest values = read_text_request(request);
      Options options(request->options, "engine '" + self.engine_id_ + "'");
      PromptSink ear(sink);
      dynamic_cast<TextTask&>(*self.model_).render(values, options, ear);
      options.refuse_unread();
      if (!ear.rendered()) throw Error(RH_ENGINE_INTERNAL, "render ended without a prompt");
    });
  }

  static rh_status embed(rh_model* model, const rh_embedding_request* request, const rh_embedding_sink* sink,
                         rh_error* error) {
    return guard_for<E>(error, [&] {
      ModelHandle& self = of(&required(model, "model"));
      const EmbeddingRequest values = read_embedding_request(request);
      Options options(request->options, "engine '" + self.engine_id_ + "'");
      EmbeddingSink ear(sink, options);
      dynamic_cast<EmbeddingTask&>(*self.model_).embed(values, options, ear);
      options.refuse_unread();
      if (ear.sent() != values.texts.size())
        throw Error(RH_ENGINE_INTERNAL, "embed ended after " + std::to_string(ear.sent()) + " of " +
                                            std::to_string(values.texts.size()) + " vectors");
    });
  }

  std::unique_ptr<Model> model_;
  std::string engine_id_;
  FactTable facts_;
  Record record_{{sizeof(rh_model), 0, model_.get(), &ModelHandle::close, &ModelHandle::describe,
                  &ModelHandle::get_extension},
                 this};
};

// An engine in use and its C record.
template <class E>
class EngineHandle {
 public:
  EngineHandle(const Host& host, const rh_engine_config* config, const Descriptor& descriptor)
      : id_(descriptor.id),
        modelless_(contains(descriptor.capabilities, "feature", "modelless")),
        engine_(make(host, checked(config, "config"), descriptor)),
        facts_(facts(*engine_, *config)) {}

  rh_engine* record() { return &record_; }

 private:
  struct Record : rh_engine {
    EngineHandle* handle;
  };

  static std::unique_ptr<E> make(const Host& host, const rh_engine_config& config,
                                 const Descriptor& descriptor) {
    if (config.threads == 0) throw Error(RH_INVALID_ARGUMENT, "config.threads: 0, expected at least 1");
    const std::string device = &required(config.device, "config.device");
    if (!contains(descriptor.capabilities, "device", device)) {
      throw Error(RH_UNSUPPORTED_DEVICE,
                  "device '" + device + "' is not one of engine '" + descriptor.id + "'");
    }
    Options options(config.options, "engine '" + descriptor.id + "'");
    std::unique_ptr<E> engine;
    if constexpr (std::is_constructible_v<E, const EngineConfig&>) {
      engine = std::make_unique<E>(EngineConfig{host, config.threads, device, options});
    } else {
      engine = std::make_unique<E>();
    }
    options.refuse_unread();
    return engine;
  }

  static Facts facts(const E& engine, const rh_engine_config& config) {
    Facts facts = engine.describe();
    add_missing(facts, "device", config.device);
    add_missing(facts, "threads", std::to_string(config.threads));
    return facts;
  }

  static EngineHandle& of(rh_engine* engine) { return *static_cast<Record*>(engine)->handle; }

  static void destroy(rh_engine* engine) {
    if (engine != nullptr) delete &of(engine);
  }

  static const rh_facts* describe(rh_engine* engine) {
    return engine == nullptr ? nullptr : of(engine).facts_.list();
  }

  static const void* get_extension(rh_engine* engine, const char* id) {
    if (engine == nullptr || id == nullptr) return nullptr;
    const void* found = nullptr;
    guard_for<E>(nullptr, [&] { found = of(engine).engine_->extension(id); });
    return found;
  }

  static rh_status open_model(rh_engine* engine, const rh_model_source* source, rh_model** model,
                              rh_error* error) {
    return guard_for<E>(error, [&] {
      rh_model*& result = required(model, "model");
      result = of(&required(engine, "engine")).open(checked(source, "source")).release()->record();
    });
  }

  std::unique_ptr<ModelHandle<E>> open(const rh_model_source& source) {
    if (source.directory == nullptr && !modelless_) {
      throw Error(RH_INVALID_ARGUMENT,
                  "source.directory: NULL, engine '" + id_ + "' needs a model directory");
    }
    SourceReader from(source, "engine '" + id_ + "'");
    std::unique_ptr<Model> model = engine_->open(from.model());
    if (model == nullptr) throw Error(RH_ENGINE_INTERNAL, "open returned no model");
    from.options().refuse_unread();
    Facts facts = model->describe();
    const std::string& architecture = from.model().architecture;
    add_missing(facts, "architecture", architecture.empty() ? id_ : architecture);
    return std::make_unique<ModelHandle<E>>(std::move(model), id_, std::move(facts));
  }

  std::string id_;
  bool modelless_;
  std::unique_ptr<E> engine_;
  FactTable facts_;
  Record record_{{sizeof(rh_engine), 0, static_cast<Engine*>(engine_.get()), &EngineHandle::destroy,
                  &EngineHandle::describe, &EngineHandle::open_model, &EngineHandle::get_extension},
                 this};
};

// The functions of the entry and the factory for a plugin with these engines.
template <class... Engines>
class Plugin {
 public:
  static rh_status init(const rh_host* host, rh_error* error) {
    return guard(error, [&] { host_.emplace(host); });
  }

  static void deinit() { host_.reset(); }

  static const void* get_factory(const char* id) {
    static constexpr rh_engine_factory factory{sizeof(rh_engine_factory), 0, &count, &descriptor,
                                               &create_engine};
    return id != nullptr && std::string_view(id) == RH_ENGINE_FACTORY_ID ? &factory : nullptr;
  }

 private:
  static std::uint32_t count() { return sizeof...(Engines); }

  static const rh_engine_descriptor* descriptor(std::uint32_t index) {
    const rh_engine_descriptor* found = nullptr;
    guard(nullptr, [&] {
      if (index < count()) found = descriptors()[index].record();
    });
    return found;
  }

  static rh_status create_engine(const char* id, const rh_engine_config* config, rh_engine** engine,
                                 rh_error* error) {
    rh_status status = RH_OK;
    const rh_status outer = guard(error, [&] {
      const std::string wanted = &required(id, "id");
      if (!host_) throw Error(RH_INVALID_ARGUMENT, "create_engine: called before init");
      rh_engine*& result = required(engine, "engine");
      std::size_t index = 0;
      const bool found =
          ((descriptors()[index].value().id == wanted
                ? (status = create<Engines>(descriptors()[index].value(), config, result, error), true)
                : (++index, false)) ||
           ...);
      if (!found) throw Error(RH_ENGINE_NOT_FOUND, "engine '" + wanted + "' is not in this plugin");
    });
    return outer == RH_OK ? status : outer;
  }

  template <class E>
  static rh_status create(const Descriptor& descriptor, const rh_engine_config* config, rh_engine*& engine,
                          rh_error* error) {
    return guard_for<E>(error, [&] {
      engine = std::make_unique<EngineHandle<E>>(*host_, config, descriptor).release()->record();
    });
  }

  // Made at the first question; never before, because loading a plugin does nothing.
  static const std::array<DescriptorRecord, sizeof...(Engines)>& descriptors() {
    static const std::array<DescriptorRecord, sizeof...(Engines)> records{
        DescriptorRecord(Engines::descriptor())...};
    return records;
  }

  static inline std::optional<Host> host_;
};

}  // namespace detail

// The value of rh_plugin_entry for a plugin with these engines.
template <class... Engines>
inline constexpr rh_plugin_entry_v1 plugin_entry{
    sizeof(rh_plugin_entry_v1), RH_ABI_VERSION, &detail::Plugin<Engines...>::init,
    &detail::Plugin<Engines...>::deinit, &detail::Plugin<Engines...>::get_factory};

}  // namespace roundhouse
