// SPDX-License-Identifier: Apache-2.0
// An engine that does what the prompt says: for misbehaviour that only a worker's host can see, and for
// images that take as long as a test needs ("slow": 10 ms a step).
#include "puppet_convert.h"

#include <roundhouse/roundhouse.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

namespace {

const rh_host* g_host = nullptr;

bool is(const rh_image_request* request, const char* prompt) {
  return std::strcmp(request->prompt, prompt) == 0;
}

void write_to_socket(const char* bytes, std::size_t size) {
  [[maybe_unused]] const ssize_t written = write(3, bytes, size);
}

void log_line(const char* message) {
  const auto* log = static_cast<const rh_host_log*>(g_host->get_extension(g_host, RH_LOG_ID));
  log->write(g_host, RH_LOG_INFO, "puppet", message);
}

// A process that outlives the worker and holds all of its descriptors.
void leave_a_child_behind() {
  if (fork() == 0) {
    setsid();
    sleep(5);
    _exit(0);
  }
}

// With a session and a program of its own, and nothing in its environment; its number is in a file.
void leave_a_stray_behind() {
  const pid_t stray = fork();
  if (stray == 0) {
    setsid();
    char* const nothing[] = {nullptr};
    execle("/bin/sleep", "sleep", "60", nullptr, nothing);
    _exit(127);
  }
  FILE* stream = std::fopen(std::getenv("RH_PUPPET_STRAY"), "w");
  std::fprintf(stream, "%d\n", static_cast<int>(stray));
  std::fclose(stream);
}

// Until somebody ends it, but no more than a gigabyte.
void eat_memory() {
  constexpr std::size_t kBite = std::size_t{16} << 20;
  std::vector<std::vector<char>> eaten;
  for (int i = 0; i < 64; ++i) {
    eaten.emplace_back(kBite, 'x');
    usleep(20'000);
  }
  sleep(60);
}

void show_preview(const rh_image_request* request, const rh_image_sink* sink, uint32_t step) {
  if (sink->preview == nullptr || request->preview_every == 0 || step % request->preview_every != 0 ||
      step == request->steps)
    return;
  std::vector<float> grey(3 * 8 * 4, is(request, "a preview with a NaN") ? __builtin_nanf("") : 0.5F);
  rh_pixels pixels{sizeof(rh_pixels), RH_PIXELS_RGB_F32, 8, 4, 8 * 12, 4 * 8 * 12, grey.data()};
  if (is(request, "a large preview")) {
    pixels.width = 32 + 16;
    pixels.height = 1;
    pixels.row_bytes = 48 * 12;
    grey.resize(48 * 3, 0.5F);
    pixels.data = grey.data();
    pixels.size_bytes = 48 * 12;
  }
  sink->preview(sink->context, &pixels);
}

void misbehave(const rh_image_request* request) {
  if (is(request, "text into the socket")) write_to_socket("hello, this is no frame at all, is it?", 38);
  if (is(request, "huge frame into the socket")) {
    const unsigned header[10] = {0x32574852, 16, 3, 0xfffffff0, 0xffffffff, 0x7fffffff};
    write_to_socket(reinterpret_cast<const char*>(header), sizeof header);
  }
  if (is(request, "stale answer into the socket")) {
    const unsigned header[10] = {0x32574852, 16, 77};
    write_to_socket(reinterpret_cast<const char*>(header), sizeof header);
  }
  if (is(request, "half a frame")) {
    write_to_socket("RHW2", 4);
    _exit(0);
  }
  if (is(request, "close the socket")) close(3);
  if (is(request, "hang")) sleep(60);
  if (is(request, "leave a stray behind and hang")) {
    leave_a_stray_behind();
    sleep(60);
  }
  if (is(request, "kill your group")) kill(0, SIGKILL);
  if (is(request, "leave a child behind")) leave_a_child_behind();
  if (is(request, "leave a child behind and exit")) {
    leave_a_child_behind();
    _exit(3);
  }
  if (is(request, "exit")) std::exit(3);
  if (is(request, "kill yourself")) raise(SIGKILL);
  if (is(request, "stop yourself")) raise(SIGSTOP);
  if (is(request, "abort")) {
    std::fputs("terminate called: the puppet's last words\n", stderr);
    std::abort();
  }
  if (is(request, "flood")) {
    for (int i = 0; i < 100000; ++i)
      std::puts("a flood of output that fills every pipe");
  }
  for (int i = 0; is(request, "chatter") && i < 5000; ++i)
    log_line("a line of the puppet");
  if (is(request, "tell my secret")) {
    std::printf("asked for: %s\n", request->prompt);
    log_line(request->prompt);
  }
  if (is(request, "out of memory")) throw std::bad_alloc();
  if (is(request, "eat memory")) eat_memory();
}

rh_status fail(rh_error* error, rh_status status, const char* message) {
  error->code = status;
  std::snprintf(error->message, sizeof error->message, "%s", message);
  return status;
}

rh_status generate(rh_model*, const rh_image_request* request, const rh_image_sink* sink, rh_error* error) {
  misbehave(request);
  for (int block = 0; is(request, "one long step") && block < 40; ++block) {
    usleep(50'000);
    if (sink->cancelled(sink->context) != 0) return fail(error, RH_CANCELLED, "stopped");
  }
  const bool slow = is(request, "slow");
  const bool deaf = is(request, "deaf");
  while (is(request, "one step for ever")) {
    usleep(10'000);
    const rh_progress again{sizeof(rh_progress), RH_STAGE_DENOISE, 1, request->steps, 10'000'000};
    if (sink->progress(sink->context, &again) != 0) return fail(error, RH_CANCELLED, "stopped");
  }
  for (uint32_t step = 1; step <= request->steps; ++step) {
    for (int block = 0; (slow || deaf) && block < 10; ++block) {
      usleep(1000);
      if (!deaf && sink->cancelled(sink->context) != 0) return fail(error, RH_CANCELLED, "stopped");
    }
    const rh_progress progress{sizeof(rh_progress), RH_STAGE_DENOISE, step, request->steps, 10'000'000};
    if (sink->progress(sink->context, &progress) != 0 && !deaf) return fail(error, RH_CANCELLED, "stopped");
    show_preview(request, sink, step);
  }
  if (is(request, "cancelled by nobody")) return fail(error, RH_CANCELLED, "stopped");
  const rh_stage_report stage{sizeof(rh_stage_report), RH_STAGE_DENOISE, 1'000'000, 1000, 2000, 0, 0, 0};
  sink->stage(sink->context, &stage);
  // Red rises with x, green with y; blue is the seed's last byte.
  std::vector<unsigned char> samples;
  for (uint32_t y = 0; y < request->height; ++y) {
    for (uint32_t x = 0; x < request->width; ++x) {
      samples.push_back(static_cast<unsigned char>(x));
      samples.push_back(static_cast<unsigned char>(y));
      samples.push_back(static_cast<unsigned char>(request->seed));
    }
  }
  const rh_pixels pixels{sizeof(rh_pixels),  RH_PIXELS_RGB_U8, request->width, request->height,
                         3 * request->width, samples.size(),   samples.data()};
  return sink->image(sink->context, &pixels, error);
}

const rh_image kImage{sizeof(rh_image), 0, generate};
const rh_fact kModelFacts[] = {RH_FACT("architecture", "puppet"), RH_FACT("dtype.denoise", "u8")};
const rh_facts kModelDescription{sizeof(rh_facts), 2, kModelFacts};

void close_model(rh_model*) {
}
const rh_facts* describe_model(rh_model*) {
  return &kModelDescription;
}
const void* model_extension(rh_model*, const char* id) {
  return std::strcmp(id, RH_IMAGE_ID) == 0 ? &kImage : nullptr;
}
rh_model g_model{sizeof(rh_model), 0, nullptr, close_model, describe_model, model_extension};

rh_status open_model(rh_engine*, const rh_model_source* source, rh_model** model, rh_error* error) {
  const bool slow = source->architecture != nullptr && std::strcmp(source->architecture, "slow load") == 0;
  const bool stuck = source->architecture != nullptr && std::strcmp(source->architecture, "stuck load") == 0;
  while (stuck) {
    usleep(10'000);
    source->sink->progress(source->sink->context, 0.5);
  }
  for (int i = 0; slow && i < 200; ++i) {
    usleep(10'000);
    if (source->sink == nullptr) continue;
    if (source->sink->progress != nullptr) source->sink->progress(source->sink->context, i / 200.0);
    if (source->sink->cancelled(source->sink->context) != 0) return fail(error, RH_CANCELLED, "stopped");
  }
  *model = &g_model;
  return RH_OK;
}

const char* variable() {
  const char* value = std::getenv("RH_PUPPET_VARIABLE");
  return value != nullptr ? value : "unset";
}

rh_fact g_engine_facts[] = {RH_FACT("device", "cpu"), RH_FACT("threads", "1"), RH_FACT("variable", "unset")};
const rh_facts kEngineDescription{sizeof(rh_facts), 3, g_engine_facts};

void destroy(rh_engine*) {
  // Shows that the worker's end was orderly.
  if (const char* file = std::getenv("RH_PUPPET_FAREWELL")) {
    if (FILE* stream = std::fopen(file, "w")) std::fclose(stream);
  }
}
const rh_facts* describe_engine(rh_engine*) {
  return &kEngineDescription;
}
const void* engine_extension(rh_engine*, const char* id) {
  return std::strcmp(id, RH_CONVERT_ID) == 0 ? puppet_convert() : nullptr;
}
rh_engine g_engine{sizeof(rh_engine), 0, nullptr, destroy, describe_engine, open_model, engine_extension};

const rh_fact kCapabilities[] = {RH_FACT("task", "text-to-image"), RH_FACT("device", "cpu"),
                                 RH_FACT("feature", "modelless"), RH_FACT("feature", "guidance")};
const rh_facts kCapabilityList{sizeof(rh_facts), 4, kCapabilities};
const rh_engine_descriptor kDescriptor{sizeof(rh_engine_descriptor),
                                       RH_MATURITY_TEACHING,
                                       "puppet",
                                       "Puppet",
                                       "The Roundhouse tests",
                                       "1.0",
                                       "Does what the prompt says.",
                                       &kCapabilityList,
                                       nullptr,
                                       0,
                                       0};

uint32_t count() {
  return 1;
}
const rh_engine_descriptor* descriptor(uint32_t index) {
  return index == 0 ? &kDescriptor : nullptr;
}
rh_status create_engine(const char*, const rh_engine_config*, rh_engine** engine, rh_error*) {
  g_engine_facts[2].value = variable();
  *engine = &g_engine;
  return RH_OK;
}
const rh_engine_factory kFactory{sizeof(rh_engine_factory), 0, count, descriptor, create_engine};

rh_status init(const rh_host* host, rh_error*) {
  g_host = host;
  return RH_OK;
}
void deinit() {
}
const void* get_factory(const char* id) {
  return std::strcmp(id, RH_ENGINE_FACTORY_ID) == 0 ? &kFactory : nullptr;
}

}  // namespace

RH_EXPORT const rh_plugin_entry_v1 rh_plugin_entry;
const rh_plugin_entry_v1 rh_plugin_entry = {sizeof(rh_plugin_entry_v1), RH_ABI_VERSION, init, deinit,
                                            get_factory};
