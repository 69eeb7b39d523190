// SPDX-License-Identifier: Apache-2.0
// Tests of workers with an engine that does what it is told: work, cancelling, ends.
#include <sys/wait.h>

#include <random>

#include "worker_fixture.h"

namespace roundhouse::host {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

TEST_F(WorkerTest, AnExecutableThatIsNotThereIsNamed) {
  options_.executable = "/no/such/program";
  expect_error(RH_INTERNAL, "/no/such/program", [&] { make(puppet_manifest())->probe(); });
}

TEST_F(WorkerTest, AProgramThatIsNoWorkerIsACrashOfTheProbe) {
  options_.executable = "/bin/true";
  expect_error(RH_ENGINE_CRASHED, "ended its process with status 0 in probe",
               [&] { make(puppet_manifest())->probe(); });
}

TEST_F(WorkerTest, GeneratingWithoutAModelIsRefused) {
  const auto client = make(puppet_manifest());
  expect_error(RH_INTERNAL, "engine 'puppet': no model is open",
               [&] { generate(*client, job_of("an image"), {}); });
}

TEST_F(WorkerTest, AnEngineWithoutTheBenchSaysSo) {
  expect_error(RH_CAPABILITY_UNSUPPORTED, "engine 'puppet': has no extension rh.bench/2", [&] {
    matrix_rate(*make(puppet_manifest()), {"", 8, 8, 8, 0.1});
  });
}

TEST_F(WorkerTest, AnEngineThatCannotTellWhatItTakesSaysSo) {
  expect_error(RH_CAPABILITY_UNSUPPORTED, "engine 'puppet': has no extension rh.estimate/1",
               [&] { estimate(*make(puppet_manifest()), {}); });
}

// ---- an engine at work ----

TEST_F(WorkerTest, AnImageArrivesWithItsTimings) {
  const auto client = make(puppet_manifest());
  EXPECT_EQ(client->probe().id, "puppet");
  const OpenResult opened = client->open({});
  EXPECT_THAT(opened.model, Contains(Pair("dtype.denoise", "u8")));
  EXPECT_GT(opened.peak_memory_bytes, std::uint64_t{1} << 20);
  std::vector<std::uint32_t> steps;
  const ImageResult result =
      generate(*client, job_of("an image"), [&](const ProgressEvent& event) { steps.push_back(event.step); });
  EXPECT_THAT(steps, ElementsAre(1, 2));
  EXPECT_THAT(result.step_milliseconds, ElementsAre(10, 10));
  ASSERT_EQ(result.stages.size(), 1U);
  EXPECT_EQ(result.stages[0].stage, "denoise");
  EXPECT_EQ(result.stages[0].operations, 1000U);
  ASSERT_EQ(result.image.rgb.size(), 3U * 32 * 16);
  EXPECT_EQ(result.image.rgb[3 * (2 * 32 + 7)], 7);      // red: x
  EXPECT_EQ(result.image.rgb[3 * (2 * 32 + 7) + 1], 2);  // green: y
  EXPECT_EQ(result.image.rgb[2], 5);                     // blue: the seed
  EXPECT_GT(result.peak_memory_bytes, std::uint64_t{1} << 20);
}

TEST_F(WorkerTest, ALargeImageArrivesWhole) {
  ImageTask job = job_of("an image");
  job.width = job.height = 2048;
  const ImageResult result = generate(*puppet(), job, {});
  ASSERT_EQ(result.image.rgb.size(), 3U * 2048 * 2048);
  EXPECT_EQ(result.image.rgb[3 * (std::size_t{2047} * 2048 + 300)], 300 % 256);
}

TEST_F(WorkerTest, ALongPromptOfStrangeCharactersArrives) {
  std::string prompt;
  while (prompt.size() < 65000)
    prompt += "\"\\\x01\xE5\x9C\x86";
  EXPECT_NO_THROW(generate(*puppet(), job_of(prompt), {}));
}

TEST_F(WorkerTest, OneWorkerMakesManyImages) {
  const auto client = puppet();
  const auto workers = workers_of(getpid());
  for (int i = 0; i < 20; ++i)
    generate(*client, job_of("an image"), {});
  EXPECT_EQ(workers_of(getpid()), workers);
}

TEST_F(WorkerTest, LogLinesOfTheEngineArriveAsFastAsTheyMay) {
  const auto begin = std::chrono::steady_clock::now();
  generate(*puppet(), job_of("chatter"), {});  // 5000 lines at once
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  const std::string text = log_.text();
  const auto lines = static_cast<double>(std::count(text.begin(), text.end(), '\n'));
  EXPECT_GE(lines, 200);
  // 20 a second more, each with a line on those that were left out.
  EXPECT_LE(lines, 200 + 2 * (20 * taken.count() + 1));
  EXPECT_THAT(text, HasSubstr("2 puppet a line of the puppet"));
}

TEST_F(WorkerTest, APromptThatAnEnginePrintsOrLogsStaysOutOfTheLog) {
  generate(*puppet(), job_of("tell my secret"), {});
  EXPECT_THAT(log_.text(), HasSubstr("2 puppet <prompt>\n"));
  EXPECT_THAT(log_.text(), HasSubstr("asked for: <prompt>\n"));
  EXPECT_THAT(log_.text(), Not(HasSubstr("secret")));
}

TEST_F(WorkerTest, TheManifestsEnvironmentIsSetBeforeTheLibraryIsLoaded) {
  EngineManifest manifest = puppet_manifest();
  manifest.environment = {{"RH_PUPPET_VARIABLE", "from the manifest", ""}};
  EXPECT_THAT(make(manifest)->probe().facts, Contains(Pair("variable", "from the manifest")));
  setenv("RH_PUPPET_VARIABLE", "from the user", 1);
  EXPECT_THAT(make(manifest)->probe().facts, Contains(Pair("variable", "from the user")));
  unsetenv("RH_PUPPET_VARIABLE");
}

TEST_F(WorkerTest, NothingIsStartedBeforeTheFirstCall) {
  const auto client = make(puppet_manifest());
  EXPECT_THAT(workers_of(getpid()), IsEmpty());
}

TEST_F(WorkerTest, TheEndOfAClientEndsItsEngineInOrder) {
  const auto file = std::filesystem::temp_directory_path() / ("rh-farewell-" + std::to_string(getpid()));
  setenv("RH_PUPPET_FAREWELL", file.c_str(), 1);
  puppet();
  unsetenv("RH_PUPPET_FAREWELL");
  EXPECT_TRUE(std::filesystem::remove(file));
  EXPECT_THAT(workers_of(getpid()), IsEmpty());
}

TEST_F(WorkerTest, TwoClientsWorkAtOnce) {
  const auto work = [this] {
    for (int i = 0; i < 5; ++i)
      EXPECT_EQ(generate(*puppet(), job_of("an image"), {}).image.width, 32U);
  };
  std::jthread first(work);
  std::jthread second(work);
}

TEST_F(WorkerTest, AWorkerOutlivesTheThreadThatStartedIt) {
  std::unique_ptr<EngineClient> client;
  std::thread([&] { client = puppet(); }).join();
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(generate(*client, job_of("an image"), {}).image.width, 32U);
}

TEST_F(WorkerTest, ADescriptorThatTheParentHasClosedDoesNotMatter) {
  const int input = dup(0);
  close(0);  // the next descriptor that anybody opens is 0
  expect_works();
  dup2(input, 0);
  close(input);
}

TEST_F(WorkerTest, AnExceptionOfTheCallerPassesThroughAndTheClientGoesOn) {
  const auto client = puppet();
  const auto thrower = [](const ProgressEvent&) { throw std::logic_error("mine"); };
  EXPECT_THROW(generate(*client, slow_job(), thrower), std::logic_error);
  EXPECT_EQ(generate(*client, job_of("an image"), {}).image.width, 32U);
}

// ---- cancelling ----

TEST_F(WorkerTest, ACancelStopsTheCallAndTheClientGoesOn) {
  const auto client = puppet();
  std::uint32_t last = 0;
  expect_error(RH_CANCELLED, "engine 'puppet': cancelled during denoise, after step ", [&] {
    generate(*client, slow_job(), [&](const ProgressEvent& event) {
      last = event.step;
      if (event.step == 3) client->cancel();
    });
  });
  EXPECT_LT(last, 20U);
  EXPECT_EQ(generate(*client, job_of("an image"), {}).image.width, 32U);
}

TEST_F(WorkerTest, ACancelBetweenTwoCallsHasNoEffect) {
  const auto client = puppet();
  client->cancel();
  EXPECT_EQ(generate(*client, job_of("an image"), {}).image.width, 32U);
}

TEST_F(WorkerTest, ACancelStopsTheOpeningOfAModel) {
  const auto client = make(puppet_manifest());
  client->probe();
  std::jthread canceller([&] {
    std::this_thread::sleep_for(milliseconds(50));
    client->cancel();
  });
  const auto begin = std::chrono::steady_clock::now();
  expect_error(RH_CANCELLED, "cancelled during load", [&] { client->open({"/", "slow load", 0, {}}); });
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(1500));
}

TEST_F(WorkerTest, AnEngineThatIsDeafToACancelIsKilled) {
  options_.timeouts.cancel = milliseconds(100);
  const auto client = puppet();
  expect_error(RH_CANCELLED, "cancelled during denoise",
               [&] { generate(*client, slow_job("deaf"), [&](const ProgressEvent&) { client->cancel(); }); });
  EXPECT_THAT(log_.text(),
              HasSubstr("did not stop within 0.1 s after a cancel in generate and was killed (rule P23)"));
  EXPECT_THAT(workers_of(getpid()), IsEmpty());
  expect_works();
}

TEST_F(WorkerTest, SignsOfLifeRenewThePatience) {
  options_.timeouts.step = milliseconds(300);  // 50 steps of 10 ms take longer
  EXPECT_EQ(generate(*puppet(), slow_job(), {}).step_milliseconds.size(), 50U);
}

TEST_F(WorkerTest, CancelsAtRandomMomentsLeaveNothingBehind) {
  std::mt19937 random(7);
  std::uniform_int_distribution<int> microseconds(0, 40000);
  expect_works();
  const auto before = open_descriptors();
  int cancelled = 0;
  for (int i = 0; i < 100; ++i) {
    const auto client = make(puppet_manifest());
    std::jthread canceller([&, wait = microseconds(random)](const std::stop_token& stop) {
      std::this_thread::sleep_for(std::chrono::microseconds(wait));
      for (; !stop.stop_requested(); std::this_thread::sleep_for(milliseconds(1)))
        client->cancel();
    });
    try {
      client->open({});
      generate(*client, slow_job(), {});
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), RH_CANCELLED) << error.what();
      ++cancelled;
    }
  }
  EXPECT_EQ(cancelled, 100);
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_THAT(workers_of(getpid()), IsEmpty());
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a zombie is left";
}

// ---- violence ----

TEST_F(WorkerTest, AWorkerKilledInTheMiddleIsOneErrorAndTheNextRequestWorks) {
  const auto client = puppet();
  expect_error(RH_ENGINE_CRASHED, "engine 'puppet' died of signal 9 (SIGKILL) in generate", [&] {
    generate(*client, slow_job(), [&](const ProgressEvent& event) {
      if (event.step == 2) kill(workers_of(getpid()).at(0), SIGKILL);
    });
  });
  expect_works();
}

TEST_F(WorkerTest, AWorkerKilledBetweenTwoCallsIsAnErrorOfTheNextOne) {
  const auto client = puppet();
  kill(workers_of(getpid()).at(0), SIGKILL);
  expect_error(RH_ENGINE_CRASHED, "SIGKILL", [&] { generate(*client, job_of("an image"), {}); });
  expect_works();
}

TEST_F(WorkerTest, CtrlCAtAWorkerHasNoEffect) {
  const auto client = puppet();
  generate(*client, slow_job(), [&](const ProgressEvent& event) {
    const pid_t worker = workers_of(getpid()).at(0);
    EXPECT_NE(getpgid(worker), getpgid(0)) << "the terminal would reach it";
    if (event.step == 2) kill(worker, SIGINT);
  });
}

TEST_F(WorkerTest, AHostThatIgnoresSigchldStillSeesTheEnd) {
  signal(SIGCHLD, SIG_IGN);
  expect_error(RH_ENGINE_CRASHED, "engine 'puppet' ended its process in generate",
               [this] { generate(*puppet(), job_of("exit"), {}); });
  expect_works();
  signal(SIGCHLD, SIG_DFL);
}

// ---- in this process ----

TEST_F(WorkerTest, TheInProcessClientDoesTheSame) {
  const auto client = make_in_process_client(puppet_manifest(), options_);
  client->open({});
  EXPECT_EQ(generate(*client, job_of("an image"), {}).image.rgb,
            generate(*puppet(), job_of("an image"), {}).image.rgb);
  EXPECT_THAT(workers_of(getpid()), IsEmpty());
  expect_error(RH_CANCELLED, "engine 'puppet': cancelled in generate", [&] {
    generate(*client, slow_job(), [&](const ProgressEvent& event) {
      if (event.step == 2) client->cancel();
    });
  });
  const auto thrower = [](const ProgressEvent&) { throw std::logic_error("mine"); };
  EXPECT_THROW(generate(*client, slow_job(), thrower), std::logic_error);
  EXPECT_EQ(generate(*client, job_of("an image"), {}).image.width, 32U);
}

}  // namespace
}  // namespace roundhouse::host
