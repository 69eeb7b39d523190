// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <string_view>
#include <thread>

#include "roundhouse/floor.hpp"
#include "sdk/conformance/cases.h"
#include "sdk/conformance/image_watch.h"

namespace conformance {
namespace {

constexpr const char* secret_prompt = "conformance prompt that no log may hold";

struct Size {
  std::uint32_t width;
  std::uint32_t height;
};

// The smallest side times `factor`, within the descriptor's limits.
std::uint32_t side(const rh_engine_descriptor& engine, const char* name, std::uint32_t factor) {
  const rh_limit limit = limit_of(engine, name).value_or(rh_limit{sizeof(rh_limit), 0, name, 64, 64, 0});
  const double step = limit.multiple_of > 0 ? limit.multiple_of : 1;
  return static_cast<std::uint32_t>(std::min(limit.minimum + step * (factor - 1), limit.maximum));
}

std::uint32_t steps_of(const rh_engine_descriptor& engine, double wanted) {
  const auto limit = limit_of(engine, "steps");
  return static_cast<std::uint32_t>(limit ? std::clamp(wanted, limit->minimum, limit->maximum) : wanted);
}

rh_image_request request_of(const rh_engine_descriptor& engine, Size size) {
  rh_image_request request{};
  request.struct_size = sizeof request;
  request.width = size.width;
  request.height = size.height;
  request.steps = steps_of(engine, 3);
  request.prompt = secret_prompt;
  request.cfg_truncation = 1;
  request.seed = 42;
  return request;
}

using Work = std::function<void(Life&, const rh_engine_descriptor&, rh_model*, const rh_image&)>;

// Runs the work for every engine that can open a model and makes images.
void with_models(const Subject& subject, Report& report, bool newer, const Work& work) {
  Life life(subject, report, newer);
  for (const rh_engine_descriptor* engine : life.descriptors()) {
    const EngineUse use(life, *engine);
    if (!can_open(subject, *engine)) continue;
    const ModelUse model(life, subject, *engine, use.get());
    const auto* image = static_cast<const rh_image*>(model.get()->get_extension(model.get(), RH_IMAGE_ID));
    if (image == nullptr) continue;
    report.require(roundhouse::reaches_floor(image) && image->generate != nullptr, "P10",
                   std::string(engine->id) + ": rh_image is too small or has no generate");
    work(life, *engine, model.get(), *image);
  }
  report.expect(!life.host().logged(secret_prompt), "P32", "the log holds a prompt");
}

void expect_image(Report& report, const ImageWatch& watch, rh_status status, ErrorSlot& error,
                  const std::string& call) {
  if (!report.expect(status == RH_OK, "P20", call + " failed: " + error.message())) {
    error.expect_told(report, status, call);
    return;
  }
  report.expect(
      watch.images() == 1, "P20",
      fmt::format("{} returned success after {} images, expected exactly one", call, watch.images()));
}

void make_images(Life& life, const rh_engine_descriptor& engine, rh_model* model, const rh_image& image) {
  const Size sizes[] = {{side(engine, "width", 1), side(engine, "height", 1)},
                        {side(engine, "width", 2), side(engine, "height", 5)},
                        {side(engine, "width", 5), side(engine, "height", 3)}};
  for (const Size size : sizes) {
    rh_image_request request = request_of(engine, size);
    const std::string call = fmt::format("{}: generate at {}x{}", engine.id, size.width, size.height);
    std::vector<unsigned char> first;
    for (int round = 0; round < 2; ++round) {
      request.preview_every = static_cast<std::uint32_t>(round);  // previews change nothing
      ImageWatch watch(life.report(), request, life.newer());
      ErrorSlot error(life.newer());
      const rh_status status = watch.generate(model, image, &request, error.get());
      expect_image(life.report(), watch, status, error, call);
      life.report().expect(true, "P39", "");  // the watch has looked at every preview, if there were any
      if (round == 0)
        first = watch.pixels();
      else
        life.report().expect(watch.pixels() == first, "P22", call + " twice gives two images");
    }
  }
}

// What the model says it takes at once; 0 = it takes one call, and does not say so.
std::uint32_t calls_of(Report& report, const std::string& engine, rh_model* model) {
  const auto* found = static_cast<const rh_concurrency*>(model->get_extension(model, RH_CONCURRENCY_ID));
  if (found == nullptr) return 0;
  report.require(roundhouse::reaches_floor(found) && found->calls != nullptr, "P10",
                 engine + ": rh_concurrency is too small or has no calls");
  const std::uint32_t calls = found->calls(model);
  report.require(calls >= 1 && calls <= 1024, "P40",
                 fmt::format("{}: calls answers {}, expected 1 to 1024", engine, calls));
  report.expect(found->calls(model) == calls, "P40",
                engine + ": calls answers another number the second time");
  return calls;
}

// One of several calls at the same time. The first is asked to stop.
struct Neighbour {
  Neighbour(Life& life, const rh_image_request& asked)
      : request(asked), watch(life.report(), request, false) {}
  rh_image_request request;
  ImageWatch watch;
  ErrorSlot error;
  rh_status status = RH_OK;
};

void make_images_at_once(Life& life, const rh_engine_descriptor& engine, rh_model* model,
                         const rh_image& image) {
  Report& report = life.report();
  const std::string id = engine.id;
  const std::uint32_t calls = std::min(calls_of(report, id, model), 4U);
  if (calls < 2) return;
  std::deque<Neighbour> neighbours;
  for (std::uint32_t i = 0; i < calls; ++i) {
    rh_image_request request = request_of(engine, {side(engine, "width", 1 + i), side(engine, "height", 2)});
    request.seed += i;
    neighbours.emplace_back(life, request);
  }
  neighbours.front().watch.stop_by = StopBy::cancelled;
  {
    std::vector<std::jthread> threads;
    for (Neighbour& one : neighbours)
      threads.emplace_back([&one, model, &image] {
        one.status = one.watch.generate(model, image, &one.request, one.error.get());
      });
  }
  report.expect(neighbours.front().status == RH_CANCELLED, "P23",
                fmt::format("{}: the one of several calls that is asked to stop returned {}", id,
                            neighbours.front().status));
  neighbours.pop_front();
  for (Neighbour& one : neighbours) {
    expect_image(report, one.watch, one.status, one.error, id + ": generate beside others");
    ImageWatch alone(report, one.request, false);
    ErrorSlot error;
    alone.generate(model, image, &one.request, error.get());
    report.expect(alone.pixels() == one.watch.pixels(), "P40",
                  id + ": generate beside others gives another image than alone");
  }
}

}  // namespace

void check_images(const Subject& subject, Report& report) {
  with_models(subject, report, false, &make_images);
}

void check_concurrency(const Subject& subject, Report& report) {
  report.expect(true, "P40", "");
  with_models(subject, report, false, &make_images_at_once);
}

void check_newer_host(const Subject& subject, Report& report) {
  report.expect(true, "P11", "");
  with_models(subject, report, true,
              [&](Life& life, const rh_engine_descriptor& engine, rh_model* model, const rh_image& image) {
                const Size size{side(engine, "width", 1), side(engine, "height", 2)};
                HostRecord<rh_image_request> request(request_of(engine, size), life.newer());
                ImageWatch watch(report, *request.get(), life.newer());
                ErrorSlot error(life.newer());
                const rh_status status = watch.generate(model, image, request.get(), error.get());
                report.expect(
                    status == RH_OK && watch.images() == 1, "P11",
                    std::string(engine.id) + ": generate fails for a newer host: " + error.message());
              });
}

void check_cancelling(const Subject& subject, Report& report) {
  with_models(subject, report, false,
              [&](Life&, const rh_engine_descriptor& engine, rh_model* model, const rh_image& image) {
                for (const StopBy stop : {StopBy::cancelled, StopBy::progress}) {
                  const Size size{side(engine, "width", 4), side(engine, "height", 4)};
                  const rh_image_request request = request_of(engine, size);
                  ImageWatch watch(report, request, false);
                  watch.stop_by = stop;
                  ErrorSlot error;
                  const rh_status status = watch.generate(model, image, &request, error.get());
                  const std::string call = std::string(engine.id) + ": generate that is asked to stop by " +
                                           (stop == StopBy::progress ? "progress" : "cancelled");
                  report.expect(status == RH_CANCELLED && watch.images() == 0, "P23",
                                fmt::format("{} returned {} and made {} images, expected CANCELLED and none",
                                            call, status, watch.images()));
                  if (status != RH_OK) error.expect_told(report, status, call);
                  report.expect(stop == StopBy::progress || watch.asked() > 0, "P23",
                                call + " never asked whether to stop");
                }
              });
}

void check_request_refusals(const Subject& subject, Report& report) {
  with_models(subject, report, false,
              [&](Life&, const rh_engine_descriptor& engine, rh_model* model, const rh_image& image) {
                const Size size{side(engine, "width", 1), side(engine, "height", 1)};
                rh_image_request request = request_of(engine, size);
                const std::string id = engine.id;

                ImageWatch refusing(report, request, false);
                refusing.answer = RH_IO_ERROR;
                ErrorSlot refused;
                rh_status status = refusing.generate(model, image, &request, refused.get());
                report.expect(status == RH_IO_ERROR && refused.message() == "the checker refuses this image",
                              "P26", id + ": generate does not return the error of sink->image");
                report.expect(refusing.images() == 1, "P26", id + ": a refused image is sent again");

                const rh_option option{sizeof option, RH_OPTION_STRING, "conformance-unknown", "x", 0, 0};
                const rh_options options{sizeof options, 1, &option};
                request.options = &options;
                ImageWatch watch(report, request, false);
                ErrorSlot error;
                status = watch.generate(model, image, &request, error.get());
                report.expect(status == RH_UNKNOWN_OPTION && watch.images() == 0, "P14",
                              fmt::format("{}: generate with an unknown option returned {}", id, status));
                if (status != RH_OK)
                  error.expect_told(report, status, id + ": generate with an unknown option");
              });
}

}  // namespace conformance
