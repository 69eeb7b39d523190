// SPDX-License-Identifier: Apache-2.0
// One engine, built many times with one defect each (-DDEFECT=name, -DDEFECT_name); defects.inc lists them.
// Plain code over the C ABI, so that nothing but the defect stands between the host and it.
#include <pthread.h>
#include <roundhouse/ext/draft/bench.h>
#include <roundhouse/ext/draft/rates.h>
#include <roundhouse/ext/draft/trace.h>
#include <roundhouse/ext/log.h>
#include <roundhouse/roundhouse.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <clocale>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <stdexcept>

namespace {

enum class Defect {
#define BAD_PLUGIN(name, host, phase, code, part) name,
#include "defects.inc"
#undef BAD_PLUGIN
};

constexpr bool has(Defect defect) {
  return defect == Defect::DEFECT;
}

const char* const kId = has(Defect::lies_about_id) ? "somebody-else" : ENGINE_ID;

rh_status fail(rh_error* error, rh_status status, const char* message) {
  error->code = status;
  std::snprintf(error->message, sizeof error->message, "%s", message);
  return status;
}

[[noreturn]] void hang() {
  while (true)
    pause();
}

// Unchecked, so that a sanitized build dies of the signal and not of a finding.
__attribute__((no_sanitize("undefined", "address"))) void crash() {
  volatile int* nowhere = nullptr;
  *nowhere = 1;  // NOLINT(clang-analyzer-core.NullDereference): the defect
}

// A process with a session of its own, whose parent has ended.
void leave_process() {
  if (fork() != 0) {
    usleep(100'000);
    return;
  }
  setsid();
  if (fork() == 0) {
    prctl(PR_SET_PDEATHSIG, 0);
    prctl(PR_SET_NAME, "orphan");
    sleep(60);
  }
  _exit(0);
}

// The same, but its parent takes its time, and nobody waits for that.
void leave_process_late() {
  if (fork() != 0) return;
  setsid();
  usleep(60'000);
  if (fork() == 0) {
    prctl(PR_SET_PDEATHSIG, 0);
    prctl(PR_SET_NAME, "late-orphan");
    sleep(60);
  }
  _exit(0);
}

// The same of another program, which nothing in its environment betrays.
void leave_bare_process() {
  if (fork() != 0) {
    usleep(100'000);
    return;
  }
  setsid();
  char* const nothing[] = {nullptr};
  if (fork() == 0) execle("/bin/sleep", "sleep", "60", nullptr, nothing);
  _exit(0);
}

// Alive by its log alone.
[[noreturn]] void log_for_ever(const rh_host* host) {
  const auto* log = static_cast<const rh_host_log*>(host->get_extension(host, RH_LOG_ID));
  for (;; usleep(20'000))
    log->write(host, RH_LOG_DEBUG, "engine", "still starting");
}

// ---- what happens while the library is loaded ----

__attribute__((constructor)) void on_load() {
  if (has(Defect::crash_at_load)) crash();
  if (has(Defect::exit_at_load)) std::exit(0);
  if (has(Defect::hang_at_load)) hang();
  if (has(Defect::leaves_process)) leave_process();
  if (has(Defect::leaves_process_late)) leave_process_late();
  if (has(Defect::leaves_bare_process)) leave_bare_process();
}

// ---- model ----

void report_progress(const rh_image_sink* sink, uint32_t step, uint32_t steps) {
  rh_progress progress = {sizeof(rh_progress), RH_STAGE_DENOISE, step, steps, 1'000'000};
  if (has(Defect::small_progress)) progress.struct_size = 4;
  if (sink->progress != nullptr) sink->progress(sink->context, &progress);
}

struct Delivery {
  const rh_image_sink* sink;
  const rh_pixels* image;
};

void give_from_thread(const rh_image_sink* sink, const rh_pixels* image) {
  Delivery delivery = {sink, image};
  const auto deliver = [](void* data) -> void* {
    const auto* what = static_cast<const Delivery*>(data);
    rh_error error = {sizeof(rh_error), RH_OK, ""};
    what->sink->image(what->sink->context, what->image, &error);
    return nullptr;
  };
  pthread_t thread;
  if (pthread_create(&thread, nullptr, deliver, &delivery) == 0) pthread_join(thread, nullptr);
}

rh_status give_image(const rh_image_request* request, const rh_image_sink* sink, rh_error* error) {
  const uint32_t width = request->width + (has(Defect::wrong_size) ? 16 : 0);
  const uint64_t row = uint64_t{width} * 3 * sizeof(float);
  auto* samples = static_cast<float*>(std::calloc(row, request->height));
  if (samples == nullptr) return fail(error, RH_OUT_OF_MEMORY, "no memory for the image");
  if (has(Defect::nan_image)) samples[4] = NAN;
  rh_pixels image = {
      sizeof(rh_pixels), RH_PIXELS_RGB_F32, width, request->height, row, row * request->height, samples};
  if (has(Defect::wrong_format)) image.format = 99;
  if (has(Defect::short_rows)) image.row_bytes = 1;
  if (has(Defect::short_buffer)) image.size_bytes -= 1;
  if (has(Defect::overflowing_rows)) image.row_bytes = UINT64_MAX / 2;
  if (has(Defect::null_pixels)) image.data = nullptr;
  if (has(Defect::small_image)) image.struct_size = 8;
  if (has(Defect::image_from_thread)) {
    give_from_thread(sink, &image);
    std::free(samples);
    return RH_OK;
  }
  if (has(Defect::two_images)) sink->image(sink->context, &image, error);
  const rh_status status = sink->image(sink->context, has(Defect::null_image) ? nullptr : &image, error);
  std::free(samples);
  return has(Defect::ignores_refusal) ? RH_OK : status;
}

// A minute of signs of life, deaf to what they are answered with.
void work_on_deaf(const rh_image_sink* sink) {
  for (uint32_t step = 1; step <= 1200; ++step) {
    usleep(50'000);
    report_progress(sink, step, 1200);
  }
}

// Until nothing is left, but never more than a machine for tests has.
rh_status allocate(rh_error* error) {
  constexpr std::size_t block = std::size_t{16} << 20;
  for (int i = 0; i < 256; ++i) {
    void* memory = std::malloc(block);
    if (memory == nullptr) break;
    std::memset(memory, 1, block);  // stays allocated: the defect
  }
  return fail(error, RH_OUT_OF_MEMORY, "the images of a bad engine need all memory there is");
}

rh_status generate(rh_model*, const rh_image_request* request, const rh_image_sink* sink, rh_error* error) {
  if (has(Defect::throw_in_generate)) throw std::runtime_error("thrown in generate");
  if (has(Defect::throw_number_in_generate)) throw 42;
  if (has(Defect::crash_in_generate)) crash();
  if (has(Defect::abort_in_generate)) std::abort();
  if (has(Defect::hang_in_generate)) hang();
  if (has(Defect::exit_in_generate)) _exit(3);
  if (has(Defect::allocates_without_end)) return allocate(error);
  if (has(Defect::no_image)) return RH_OK;
  if (has(Defect::unknown_status)) return fail(error, 12345, "a status of its own");
  if (has(Defect::host_status)) return fail(error, RH_QUEUE_FULL, "busy");
  if (has(Defect::silent_error)) return RH_PIPELINE_ERROR;
  if (has(Defect::garbled_error)) return fail(error, RH_MODEL_INVALID, "weights \xff\x1b[2J are bad");
  if (has(Defect::unterminated_error)) {
    std::memset(error->message, 'x', sizeof error->message);
    return RH_MODEL_INVALID;
  }
  if (has(Defect::prints_in_generate)) {
    std::puts("hello from generate");
    std::fflush(stdout);
  }
  if (has(Defect::changes_directory_in_generate) && chdir("/") != 0) return RH_IO_ERROR;
  if (has(Defect::ignores_cancel)) {
    work_on_deaf(sink);
    return give_image(request, sink, error);
  }
  for (uint32_t step = 1; step <= request->steps; ++step) {
    if (sink->cancelled(sink->context) != 0) return fail(error, RH_CANCELLED, "cancelled during denoise");
    report_progress(sink, step, request->steps);
  }
  return give_image(request, sink, error);
}

#include "texts.inc"

const rh_image kImage = {has(Defect::small_image_extension) ? 8U : uint32_t{sizeof(rh_image)}, 0,
                         has(Defect::null_generate) ? nullptr : generate};

const rh_fact kModelFacts[] = {RH_FACT("architecture", "none"), RH_FACT("dtype.denoise", "f32")};
const rh_facts kModelDescription = {sizeof(rh_facts), 2, kModelFacts};

const rh_facts* describe_model(rh_model*) {
  return has(Defect::null_model_description) ? nullptr : &kModelDescription;
}
uint32_t calls(rh_model*) {
  if (has(Defect::throw_in_calls)) throw std::runtime_error("thrown in calls");
  return has(Defect::takes_no_calls) ? 0 : 4'000'000'000;
}
const rh_concurrency kConcurrency = {
    has(Defect::small_concurrency_extension) ? 8U : uint32_t{sizeof(rh_concurrency)}, 0,
    has(Defect::null_calls_function) ? nullptr : calls};
const void* model_extension(rh_model*, const char* id) {
  constexpr bool counts = has(Defect::takes_no_calls) || has(Defect::takes_absurdly_many_calls) ||
                          has(Defect::small_concurrency_extension) || has(Defect::null_calls_function) ||
                          has(Defect::throw_in_calls);
  if (counts && std::strcmp(id, RH_CONCURRENCY_ID) == 0) return &kConcurrency;
  if (std::strcmp(id, RH_TEXT_ID) == 0) return &kText;
  if (std::strcmp(id, RH_EMBEDDING_ID) == 0) return &kEmbedding;
  const bool known = std::strcmp(id, RH_IMAGE_ID) == 0 && !has(Defect::no_image_extension);
  return known ? &kImage : nullptr;
}
void close_model(rh_model*) {
  if (has(Defect::throw_in_close)) throw std::runtime_error("thrown in close");
}

rh_model g_model = {
    has(Defect::small_model) ? 16U : uint32_t{sizeof(rh_model)}, 0, nullptr, close_model, describe_model,
    has(Defect::null_model_function) ? nullptr : model_extension};

// ---- engine ----

rh_status open_model(rh_engine*, const rh_model_source*, rh_model** model, rh_error* error) {
  if (has(Defect::no_model)) return RH_OK;
  if (has(Defect::throw_in_open)) throw std::bad_alloc();
  if (has(Defect::crash_in_open)) crash();
  if (has(Defect::hang_in_open)) hang();
  if (has(Defect::open_fails)) return fail(error, RH_MODEL_INVALID, "transformer/config.json: is damaged");
  if (has(Defect::open_succeeds_as_error)) return fail(error, -1, "minus one");
  *model = &g_model;
  return RH_OK;
}

const rh_fact kEngineFacts[] = {RH_FACT("device", "cpu"), RH_FACT("threads", "1"),
                                RH_FACT("simd", has(Defect::bad_fact) ? nullptr : "none")};
const rh_facts kEngineDescription = {sizeof(rh_facts), 3, kEngineFacts};

const rh_facts* describe_engine(rh_engine*) {
  return &kEngineDescription;
}

#include "extensions.inc"

void destroy(rh_engine*) {
}

rh_engine g_engine = {has(Defect::small_engine) ? 8U : uint32_t{sizeof(rh_engine)},
                      0,
                      nullptr,
                      destroy,
                      describe_engine,
                      has(Defect::null_engine_function) ? nullptr : open_model,
                      engine_extension};

// ---- factory ----

const rh_fact kCapabilities[] = {{has(Defect::bad_stride) ? 4U : uint32_t{sizeof(rh_fact)}, 0,
                                  has(Defect::no_task) ? "chore" : "task", "text-to-image"},
                                 RH_FACT("device", "cpu"),
                                 RH_FACT("feature", "modelless"),
                                 RH_FACT("dtype", "f32")};
const rh_facts kCapabilityList = {sizeof(rh_facts), has(Defect::endless_capabilities) ? UINT32_MAX : 4U,
                                  has(Defect::null_items) ? nullptr : kCapabilities};

const rh_limit kLimits[] = {
    {sizeof(rh_limit), 0, "width", 16, has(Defect::nan_limit) ? double{NAN} : 512, 16},
    {sizeof(rh_limit), 0, "height", 16, 512, 16}};
const rh_limits kLimitList = {sizeof(rh_limits), 2, kLimits};

const rh_engine_descriptor kDescriptor = {
    has(Defect::small_descriptor) ? 8U : uint32_t{sizeof(rh_engine_descriptor)},
    has(Defect::bad_maturity) ? 77U : uint32_t{RH_MATURITY_TEACHING},
    has(Defect::bad_id) ? "Not An Id" : kId,
    has(Defect::bad_string)     ? "not UTF-8: \xff"
    : has(Defect::empty_string) ? ""
    : has(Defect::null_string)  ? nullptr
                                : "Bad engine",
    "The Roundhouse tests",
    "1.0",
    "An engine with one defect.",
    has(Defect::null_capabilities) ? nullptr : &kCapabilityList,
    &kLimitList,
    0,
    0};

uint32_t count() {
  if (has(Defect::zero_engines)) return 0;
  return has(Defect::too_many_engines) ? 1'000'000 : 1;
}
const rh_engine_descriptor* descriptor(uint32_t index) {
  if (has(Defect::null_descriptor)) return nullptr;
  return index == 0 ? &kDescriptor : nullptr;
}
rh_status create_engine(const char*, const rh_engine_config*, rh_engine** engine, rh_error* error) {
  if (has(Defect::no_engine)) return RH_OK;
  if (has(Defect::create_fails)) return fail(error, RH_OUT_OF_MEMORY, "no memory for the device");
  *engine = &g_engine;
  return RH_OK;
}

const rh_engine_factory kFactory = {has(Defect::small_factory) ? 16U : uint32_t{sizeof(rh_engine_factory)}, 0,
                                    has(Defect::null_factory_function) ? nullptr : count, descriptor,
                                    create_engine};

// ---- entry ----

#ifdef DEFECT_unresolved_symbol
extern "C" void rh_test_function_that_nobody_defines();
#endif
#ifdef DEFECT_missing_library
extern "C" void rh_test_function_of_a_removed_library();
#endif

rh_status init(const rh_host* host, rh_error* error) {
#ifdef DEFECT_unresolved_symbol
  rh_test_function_that_nobody_defines();
#endif
#ifdef DEFECT_missing_library
  rh_test_function_of_a_removed_library();
#endif
  if (has(Defect::throw_in_init)) throw std::runtime_error("thrown in init");
  if (has(Defect::crash_in_init)) crash();
  if (has(Defect::hang_in_init)) hang();
  if (has(Defect::logs_in_init)) log_for_ever(host);
  if (has(Defect::init_fails)) return fail(error, RH_UNSUPPORTED_DEVICE, "no card in slot 7");
  if (has(Defect::init_fails_silently)) return RH_UNSUPPORTED_DEVICE;
  if (has(Defect::prints_to_stdout)) {
    std::puts("hello");
    std::fflush(stdout);
  }
  if (has(Defect::prints_to_stderr)) std::fputs("hello\n", stderr);
  if (has(Defect::changes_directory) && chdir("/") != 0) return RH_IO_ERROR;
  if (has(Defect::changes_locale)) std::setlocale(LC_ALL, "C.UTF-8");
  if (has(Defect::changes_environment)) setenv("RH_TEST_BAD_PLUGIN", "1", 1);
  if (has(Defect::changes_signals)) std::signal(SIGUSR2, SIG_IGN);
  return RH_OK;
}
void deinit() {
}
const void* get_factory(const char* id) {
  if (has(Defect::null_factory)) return nullptr;
  return std::strcmp(id, RH_ENGINE_FACTORY_ID) == 0 ? &kFactory : nullptr;
}

constexpr uint32_t abi_version() {
  if (has(Defect::wrong_major)) return (RH_ABI_MAJOR + 1) << 16;
  return has(Defect::newer_minor) ? RH_ABI_VERSION + 7 : RH_ABI_VERSION;
}

}  // namespace

#if defined(DEFECT_symbol_is_function)
RH_EXPORT void rh_plugin_entry() {
}
#elif defined(DEFECT_tiny_symbol)
RH_EXPORT const uint32_t rh_plugin_entry;
const uint32_t rh_plugin_entry = sizeof(rh_plugin_entry_v1);
#elif !defined(DEFECT_no_symbol)
RH_EXPORT const rh_plugin_entry_v1 rh_plugin_entry;
const rh_plugin_entry_v1 rh_plugin_entry = {
    has(Defect::small_entry) ? 8U : uint32_t{sizeof(rh_plugin_entry_v1)}, abi_version(), init,
    has(Defect::null_entry_function) ? nullptr : deinit, get_factory};
#endif
