// SPDX-License-Identifier: Apache-2.0
#include "host/server/a1111/jobs.h"

#include "host/server/image_files.h"
#include "host/text/json_text.h"
#include "host/transport/base64.h"

namespace roundhouse::host::a1111 {
namespace {

using nlohmann::ordered_json;

ordered_json state_json(const JobState& job, bool at_work) {
  ordered_json json;
  json["skipped"] = job.skipped;
  json["interrupted"] = job.interrupted;
  json["stopping_generation"] = job.interrupted;
  json["job"] = job.name;
  json["job_count"] = at_work ? job.images : 0;
  json["job_timestamp"] = at_work ? job.timestamp : "0";
  json["job_no"] = job.image;
  json["sampling_step"] = job.step;
  json["sampling_steps"] = job.steps;
  return json;
}

void progress(const Jobs& jobs, http::Exchange& exchange) {
  const auto first = jobs.first();
  const JobState job = first.value_or(JobState{});
  const auto& query = exchange.request().query;
  const auto skip = query.find("skip_current_image");
  const bool wants_image = skip == query.end() || (skip->second != "true" && skip->second != "1");
  ordered_json json;
  json["progress"] = job.fraction;
  json["eta_relative"] = job.eta_seconds.value_or(0);
  json["state"] = state_json(job, first.has_value());
  json["current_image"] = nullptr;
  if (wants_image && job.preview) json["current_image"] = base64_encoded(image_file(*job.preview, {}, {}));
  json["textinfo"] = nullptr;
  exchange.send(200, http::kJson, json_text(json));
}

}  // namespace

Jobs::Job::Job(Jobs& jobs, JobState state, std::function<void()> stop)
    : jobs_(jobs), state_(std::move(state)), stop_(std::move(stop)) {
  const std::lock_guard lock(jobs_.mutex_);
  place_ = jobs_.jobs_.insert(jobs_.jobs_.end(), this);
}

Jobs::Job::~Job() {
  const std::lock_guard lock(jobs_.mutex_);
  jobs_.jobs_.erase(place_);
}

void Jobs::Job::update(const std::function<void(JobState&)>& change) {
  const std::lock_guard lock(jobs_.mutex_);
  change(state_);
}

bool Jobs::Job::interrupted() const {
  const std::lock_guard lock(jobs_.mutex_);
  return state_.interrupted;
}

bool Jobs::Job::take_skip() {
  const std::lock_guard lock(jobs_.mutex_);
  return std::exchange(skip_, false);
}

std::optional<JobState> Jobs::first() const {
  const std::lock_guard lock(mutex_);
  return jobs_.empty() ? std::nullopt : std::optional(jobs_.front()->state_);
}

void Jobs::interrupt() {
  const std::lock_guard lock(mutex_);
  for (Job* job : jobs_) {
    job->state_.interrupted = true;
    job->stop_();
  }
}

void Jobs::skip() {
  const std::lock_guard lock(mutex_);
  if (jobs_.empty()) return;
  jobs_.front()->skip_ = true;
  jobs_.front()->state_.skipped = true;
}

void add_job_routes(http::Router& router, const std::shared_ptr<Jobs>& jobs) {
  router.add("GET", "/sdapi/v1/progress", {},
             [jobs](http::Exchange& exchange) { progress(*jobs, exchange); });
  router.add("POST", "/sdapi/v1/interrupt", {}, [jobs](http::Exchange& exchange) {
    jobs->interrupt();
    exchange.send(200, http::kJson, "{}");
  });
  router.add("POST", "/sdapi/v1/skip", {}, [jobs](http::Exchange& exchange) {
    jobs->skip();
    exchange.send(200, http::kJson, "{}");
  });
}

}  // namespace roundhouse::host::a1111
