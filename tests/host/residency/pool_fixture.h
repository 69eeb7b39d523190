// SPDX-License-Identifier: Apache-2.0
// What the tests of pools share: plans for engines of the tests, requests on threads of their own, and gates.
#pragma once

#include <condition_variable>
#include <future>
#include <mutex>

#include "host/residency/pool.h"
#include "host/session/image_runner.h"
#include "worker_fixture.h"

namespace roundhouse::host {

// Holds threads until it is opened.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  // Whether it was opened in time.
  bool wait() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

struct PoolRequest {
  GeneratePlan plan;
  std::optional<KeepAlive> keep_alive;
};

// A request on a thread of its own.
class Guest {
 public:
  Guest(ImageRunner& runner, PoolRequest request, ImageEvents events = {})
      : request_(std::move(request)), events_(std::move(events)) {
    // Wraps what a test wants to hear with what all tests want to know.
    const auto heard = std::move(events_.progress);
    events_.progress = [this, heard](const StepEvent& event) {
      working_.open();
      if (heard) heard(event);
    };
    const auto queued = std::move(events_.queued);
    events_.queued = [this, queued](const QueuedEvent& event) {
      queued_.open();
      if (queued) queued(event);
    };
    const auto image = std::move(events_.image);
    events_.image = [this, image](std::uint32_t index, std::uint64_t seed, const ImageResult& result) {
      ++images_;
      if (image) image(index, seed, result);
    };
    end_ = std::async(std::launch::async, [this, &runner] {
      return runner.run(request_.plan, request_.keep_alive, cancelled_, events_);
    });
  }
  ~Guest() {
    cancelled_.store(true);
    if (end_.valid()) end_.wait();
  }
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

  bool is_queued() { return queued_.wait(); }
  bool is_working() { return working_.wait(); }
  void cancel() { cancelled_.store(true); }
  LeaseReport result() { return end_.get(); }
  unsigned images() const { return images_; }

 private:
  PoolRequest request_;
  ImageEvents events_;
  Gate queued_, working_;
  std::atomic<bool> cancelled_{false};
  std::atomic<unsigned> images_{0};
  std::future<LeaseReport> end_;
};

class PoolTest : public WorkerTest {
 protected:
  PoolTest() {
    limits_.memory_bytes = std::uint64_t{8} << 30;
    limits_.silence_timeout = std::chrono::seconds(30);
    options_.timeouts.cancel = std::chrono::seconds(5);
  }

  ModelPool& pool() {
    if (pool_ == nullptr) pool_ = std::make_unique<ModelPool>(registry(), options_, limits_, factory_);
    return *pool_;
  }
  ImageRunner& runner() {
    if (runner_ == nullptr) runner_ = std::make_unique<ImageRunner>(pool());
    return *runner_;
  }
  SharedRegistry& registry() {
    if (registry_ == nullptr) {
      registry_ = std::make_unique<SharedRegistry>([this] {
        std::vector<Candidate> candidates;
        for (const EngineManifest& manifest : manifests_)
          candidates.push_back({manifest.file, "flag", manifest, std::nullopt, std::nullopt});
        return candidates;
      });
    }
    return *registry_;
  }

  // A plan of the puppet, which does what the prompt says, as a model of that name.
  PoolRequest request(const std::string& prompt, const std::string& model = "", std::uint32_t steps = 2) {
    PoolRequest request;
    request.plan.job = job_of(prompt);
    request.plan.job.steps = steps;
    request.plan.engine = "puppet";
    request.plan.route.engine = "puppet";
    request.plan.device = "cpu";
    if (!model.empty())
      request.plan.model = ModelReference{model, {}, LocalDirectory{"/no-such-directory/" + model}};
    return request;
  }

  LeaseReport run(const PoolRequest& request, const ImageEvents& events = {}) {
    const std::atomic<bool> never{false};
    return runner().run(request.plan, request.keep_alive, never, events);
  }
  // The next request works, whatever happened before.
  void expect_pool_works(const std::string& model = "") { EXPECT_NO_THROW(run(request("an image", model))); }

  // A step that waits at the gate.
  static ImageEvents held_by(Gate& gate) {
    ImageEvents events;
    events.progress = [&gate](const StepEvent&) { gate.wait(); };
    return events;
  }

  std::vector<EngineManifest> manifests_{puppet_manifest()};
  PoolLimits limits_;
  ClientFactory factory_ = make_worker_client;
  std::unique_ptr<SharedRegistry> registry_;
  std::unique_ptr<ModelPool> pool_;
  std::unique_ptr<ImageRunner> runner_;
};

}  // namespace roundhouse::host
