// SPDX-License-Identifier: Apache-2.0
// The bad engines of tests/host/bad_plugins, and a use of one from loading to an image.
#pragma once

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/loading/plugin.h"
#include "host/loading/text_calls.h"

namespace roundhouse::host {

inline EngineManifest bad_engine(std::string defect) {
  std::replace(defect.begin(), defect.end(), '_', '-');
  return read_manifest(std::filesystem::path(ROUNDHOUSE_BINARY_DIR) / "bad_engines" / defect /
                       (defect + ".json"));
}

// What reaches a caller's sink; `refusal` is what it answers to an image.
struct Received {
  int images = 0, steps = 0;
  bool cancel = false;
  rh_status refusal = RH_OK;
};

inline rh_image_sink sink_into(Received& received) {
  rh_image_sink sink{};
  sink.struct_size = sizeof sink;
  sink.context = &received;
  sink.progress = [](void* context, const rh_progress*) {
    ++static_cast<Received*>(context)->steps;
    return 0;
  };
  sink.stage = [](void*, const rh_stage_report*) {};
  sink.cancelled = [](void* context) { return static_cast<Received*>(context)->cancel ? 1 : 0; };
  sink.image = [](void* context, const rh_pixels*, rh_error* error) {
    auto& self = *static_cast<Received*>(context);
    ++self.images;
    error->code = self.refusal;
    return self.refusal;
  };
  return sink;
}

inline rh_image_request small_request() {
  rh_image_request request{};
  request.struct_size = sizeof request;
  request.width = 32;
  request.height = 16;
  request.steps = 3;
  request.prompt = "a red square";
  request.cfg_truncation = 1;
  return request;
}

// The three lifetimes of one engine, one phase after the other.
class Use {
 public:
  explicit Use(const std::string& defect) : manifest_(bad_engine(defect)) {}

  EngineReport probe() {
    plugin_ = std::make_unique<Plugin>(
        manifest_, 2,
        [this](std::uint32_t, const std::string&, const std::string& message) { log.push_back(message); });
    engine_ = plugin_->create_engine("auto");
    return plugin_->report(engine_.get());
  }
  void open() {
    rh_model_source source{};
    source.struct_size = sizeof source;
    model_ = engine_->open_model(source);
    facts = model_->facts();
  }
  void generate() {
    const rh_image_request request = small_request();
    model_->generate(request, sink_into(received));
  }

  // What BAD_PLUGIN's phases text and embed ask for.
  void text() {
    const rh_text_view stop{"END", 3};
    rh_sampling sampling{};
    sampling.struct_size = sizeof sampling;
    rh_text_request request{};
    request.struct_size = sizeof request;
    request.max_tokens = 8;
    request.sampling = &sampling;
    request.stops = &stop;
    request.stop_count = 1;
    const rh_text_sink sink{sizeof sink,
                            0,
                            nullptr,
                            [](void*) { return 0; },
                            nullptr,
                            [](void*, const rh_text_piece*, rh_error*) -> rh_status { return RH_OK; },
                            [](void*, const rh_text_report*) {}};
    write_text(*model_, request, sink);
    render_prompt(*model_, request, {sizeof(rh_prompt_sink), 0, nullptr, nullptr});
  }
  void embed() {
    const rh_text_view text{"one", 3};
    rh_embedding_request request{};
    request.struct_size = sizeof request;
    request.count = 1;
    request.texts = &text;
    const rh_embedding_sink sink{sizeof sink, 0, nullptr, [](void*) { return 0; },
                                 [](void*, const rh_vector*, rh_error*) -> rh_status { return RH_OK; }};
    embed_texts(*model_, request, sink);
  }

  // The extensions of the engine, without a model.
  void estimate() {
    const auto& extension = engine_->extension<rh_estimate>(RH_ESTIMATE_ID);
    const rh_estimate_sink sink{
        sizeof sink, 0, nullptr, [](void*, const rh_stage_estimate*) {}, [](void*, std::uint64_t) {},
        nullptr};
    rh_model_source source{};
    source.struct_size = sizeof source;
    const rh_image_request request = small_request();
    engine_
        ->call("estimate",
               [&](rh_engine* engine, rh_error* error) {
                 return extension.image(engine, &source, &request, &sink, error);
               })
        .check();
  }
  void convert() {
    const auto& extension = engine_->extension<rh_convert>(RH_CONVERT_ID);
    const rh_convert_request request{sizeof request, 0, "/source", "/target", "f32", nullptr, nullptr};
    const rh_convert_sink sink{sizeof sink,
                               0,
                               nullptr,
                               [](void*, const rh_convert_progress*) {},
                               [](void*, const rh_convert_tensor*) {},
                               [](void*) { return 0; }};
    engine_
        ->call("convert", [&](rh_engine* engine,
                              rh_error* error) { return extension.run(engine, &request, &sink, error); })
        .check();
  }
  void inspect() {
    const auto& extension = engine_->extension<rh_inspect>(RH_INSPECT_ID);
    const rh_inspect_sink sink{sizeof sink, 0, nullptr, [](void*, const rh_problem*) {},
                               [](void*) { return 0; }};
    rh_model_source source{};
    source.struct_size = sizeof source;
    engine_
        ->call("inspect", [&](rh_engine* engine,
                              rh_error* error) { return extension.model(engine, &source, &sink, error); })
        .check();
  }
  void bench() {
    const auto& extension = engine_->extension<rh_bench>(RH_BENCH_ID);
    double rate = 0;
    engine_
        ->call("matrix_rate",
               [&](rh_engine* engine, rh_error* error) {
                 return extension.matrix_rate(engine, nullptr, 8, 8, 8, 0.1, &rate, error);
               })
        .check();
  }

  std::vector<std::string> log;
  std::vector<std::pair<std::string, std::string>> facts;
  Received received;

 private:
  EngineManifest manifest_;
  std::unique_ptr<Plugin> plugin_;
  std::unique_ptr<Plugin::Engine> engine_;
  std::unique_ptr<Plugin::Model> model_;
};

}  // namespace roundhouse::host
