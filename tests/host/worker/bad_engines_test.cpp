// SPDX-License-Identifier: Apache-2.0
// Every bad engine in a worker: the error of the table, and the next request works.
#include <sys/resource.h>

#include "host/worker/ops/embed.h"
#include "host/worker/ops/inspect.h"
#include "host/worker/ops/rates.h"
#include "host/worker/ops/text.h"
#include "host/worker/ops/trace.h"
#include "worker_fixture.h"

namespace roundhouse::host {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

struct BadEngine {
  const char* defect;
  const char* phase;
  rh_status code;
  const char* part;
};

// The table names codes without their prefix.
#define BAD_PLUGIN(defect, host, phase, code, part) {#defect, #phase, RH_##code, part},
const BadEngine kBadEngines[] = {
#include "tests/host/bad_plugins/defects.inc"
};
#undef BAD_PLUGIN

// 1 GiB of address space for this process and its children, as long as it lives.
class MemoryLimit {
 public:
  MemoryLimit() {
    getrlimit(RLIMIT_AS, &before_);
    rlimit small = before_;
    small.rlim_cur = std::min<rlim_t>(before_.rlim_max, rlim_t{1} << 30);
    setrlimit(RLIMIT_AS, &small);
  }
  ~MemoryLimit() { setrlimit(RLIMIT_AS, &before_); }

 private:
  rlimit before_{};
};

class BadEngineTest : public WorkerTest, public ::testing::WithParamInterface<BadEngine> {
 protected:
  // Runs all phases; gives the phase in which the engine failed, and why.
  std::string run(EngineClient& client) {
    try {
      phase_ = "probe";
      report_ = client.probe();
      if (run_extension(client, GetParam().phase)) return "";
      phase_ = "open";
      client.open({});
      if (run_words(client, GetParam().phase)) return "";
      phase_ = "generate";
      generate(client, job_of("an image"), [&](const ProgressEvent&) {
        if (GetParam().code == RH_CANCELLED) client.cancel();
      });
      return "";
    } catch (const Error& error) {
      code_ = error.code();
      return error.what();
    }
  }

  // A text or an embedding; false: the phase is neither.
  bool run_words(EngineClient& client, const std::string& phase) {
    phase_ = phase;
    TextTask task;
    task.prompt = "a few words";
    task.stops = {"END"};
    task.max_tokens = 8;
    TextEvents events;
    events.piece = [&](const TextPiece&) {
      if (GetParam().code == RH_CANCELLED) client.cancel();
    };
    if (phase == "text") write_text(client, task, events);
    if (phase == "embed") embed(client, {.texts = {"one"}, .options = {}}, [](const Embedding&) {});
    return phase == "text" || phase == "embed";
  }

  // The call of an extension that needs no model; false: the phase is none.
  bool run_extension(EngineClient& client, const std::string& phase) {
    phase_ = phase;
    if (phase == "estimate") estimate(client, {{}, job_of("an image")});
    if (phase == "trace") trace(client, {{}, job_of("an image")}, [](const TraceTensor&) {});
    if (phase == "inspect") inspect(client, {});
    if (phase == "convert") convert(client, {"/source", "/target", "f32", "", {}}, {});
    if (phase == "bench") matrix_rate(client, {"", 8, 8, 8, 0.1});
    if (phase == "rates") ask_rates(client, 0.001);
    return phase != "probe" && phase != "open" && phase != "generate" && phase != "text" && phase != "embed";
  }

  std::string phase_;
  rh_status code_ = RH_OK;
  EngineReport report_;
};

TEST_P(BadEngineTest, IsOneTypedErrorAndTheNextRequestWorks) {
  const BadEngine& bad = GetParam();
  const std::string defect = bad.defect;
  if (bad.code == RH_TIMEOUT) {
    options_.timeouts.probe = options_.timeouts.load = options_.timeouts.step = options_.timeouts.rates =
        milliseconds(1500);
  }
  options_.timeouts.cancel = milliseconds(200);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  if (defect == "allocates_without_end") GTEST_SKIP() << "a sanitizer needs all the address space there is";
#endif
  std::string message;
  {
    std::optional<MemoryLimit> limit;
    if (defect == "allocates_without_end") limit.emplace();
    message = run(*make(bad_manifest(defect)));
  }
  EXPECT_EQ(status_name(code_), status_name(bad.code)) << message;
  if (bad.code != RH_OK) {
    EXPECT_EQ(phase_, bad.phase);
    EXPECT_THAT(message, HasSubstr(bad.part));
    EXPECT_THAT(message, HasSubstr("'bad-"));
    if (bad.code == RH_TIMEOUT) {
      const std::string call = std::string(bad.phase) == "open" ? "load" : bad.phase;
      EXPECT_THAT(log_.text(), HasSubstr("hangs in " + call + ": thread"));
    }
  } else if (*bad.part != '\0') {
    EXPECT_THAT(report_.remarks, Contains(HasSubstr(bad.part)));
  }
  expect_works();
}

INSTANTIATE_TEST_SUITE_P(All, BadEngineTest, ::testing::ValuesIn(kBadEngines),
                         [](const auto& test) { return std::string(test.param.defect); });

TEST_F(WorkerTest, WhatAPluginPrintsIsARemarkAndAWarning) {
  EXPECT_THAT(make(bad_manifest("prints_to_stdout"))->probe().remarks,
              Contains("printed 6 bytes to standard output (rule P28)"));
  EXPECT_THAT(make(bad_manifest("prints_to_stderr"))->probe().remarks,
              Contains("printed 6 bytes to standard error (rule P28)"));
  EXPECT_THAT(log_.text(),
              HasSubstr("engine 'bad-prints-to-stdout' printed 6 bytes to standard output in probe"));
}

TEST_F(WorkerTest, ProbingManyEnginesGivesEachItsRow) {
  std::vector<Candidate> candidates;
  for (const char* defect :
       {"good", "crash_at_load", "init_fails", "newer_minor", "exit_at_load", "no_symbol"}) {
    EngineManifest manifest = bad_manifest(defect);
    candidates.push_back({manifest.file, "flag", manifest, std::nullopt, std::nullopt});
  }
  Registry registry(std::move(candidates));
  probe_all(registry, options_);
  ASSERT_EQ(registry.records().size(), 6U);
  for (const EngineRecord& record : registry.records()) {
    const bool sound = record.id == "bad-good" || record.id == "bad-newer-minor";
    EXPECT_EQ(state_name(record.state), sound ? "available" : "unusable") << record.id;
    EXPECT_EQ(record.error.has_value(), !sound) << record.id;
  }
}

}  // namespace
}  // namespace roundhouse::host
