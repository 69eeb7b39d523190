/* SPDX-License-Identifier: Apache-2.0
 * The test card with one defect, named by the variable ROUNDHOUSE_DEFECT; without it the test card as it is.
 */
#define _GNU_SOURCE
#define rh_plugin_entry sound_entry
#include "plugins/testcard/testcard.c"
#include "plugins/testcard/texts.c"
#undef rh_plugin_entry

#include <fenv.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "roundhouse/ext/concurrency.h"
#include "roundhouse/ext/log.h"

static int is(const char* defect) {
  const char* chosen = getenv("ROUNDHOUSE_DEFECT");
  return chosen != NULL && strcmp(chosen, defect) == 0;
}

static const rh_host* host_of_plugin;

#include "tests/sdk/broken_inspect.h"
#include "tests/sdk/broken_rates.h"
/* after what it hands out */
#include "tests/sdk/broken_convert.h"
#include "tests/sdk/broken_text.h"

static void* sleep_for_ever(void* unused) {
  (void)unused;
  for (;;)
    pause();
}

static void start_thread(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, sleep_for_ever, NULL);
}

/* ---- a sink between the test card and the host ---- */

typedef struct relay {
  const rh_image_sink* to;
  uint32_t images;
} relay;

static void show_a_pixel(const rh_image_sink* sink, uint32_t width, float value) {
  static float row[3 * 4096];
  for (uint32_t i = 0; i < 3 * width; ++i)
    row[i] = value;
  const uint64_t bytes = (uint64_t)3 * sizeof(float) * width;
  const rh_pixels pixels = {sizeof pixels, RH_PIXELS_RGB_F32, width, 1, bytes, bytes, row};
  sink->preview(sink->context, &pixels);
}

static int32_t relay_progress(void* context, const rh_progress* progress) {
  const relay* self = context;
  rh_progress changed = *progress;
  if (is("counts-steps-from-zero")) changed.step -= 1;
  if (is("tells-one-step-less") && progress->step == progress->steps) return 0;
  const int32_t stop = self->to->progress(self->to->context, &changed);
  if (is("previews-unasked")) show_a_pixel(self->to, 1, 0.5f);
  if (is("previews-nan") && progress->step < progress->steps) show_a_pixel(self->to, 1, NAN);
  if (is("previews-too-much") && progress->step < progress->steps) show_a_pixel(self->to, 4096, 0.5f);
  return is("ignores-cancel") ? 0 : stop;
}

static void relay_stage(void* context, const rh_stage_report* report) {
  const relay* self = context;
  if (is("tells-no-end-of-stage")) return;
  self->to->stage(self->to->context, report);
}

static int32_t relay_cancelled(void* context) {
  const relay* self = context;
  if (is("never-asks-to-stop")) return 0;
  const int32_t stop = self->to->cancelled(self->to->context);
  return is("ignores-cancel") ? 0 : stop;
}

static void* stage_elsewhere(void* context) {
  const rh_image_sink* sink = context;
  const rh_progress progress = {sizeof progress, RH_STAGE_DECODE, 1, 1, 1};
  sink->progress(sink->context, &progress);
  return NULL;
}

static rh_status relay_image(void* context, const rh_pixels* image, rh_error* error) {
  static int made;
  relay* self = context;
  rh_pixels changed = *image;
  float* values = (float*)(uintptr_t)image->data;
  if (is("makes-no-image")) return RH_OK;
  if (is("wrong-width")) changed.width -= 1;
  if (is("rows-beyond-data")) changed.size_bytes -= 1;
  if (is("unknown-format")) changed.format = 77;
  if (is("nan-image")) values[5] = NAN;
  if (is("unsteady")) values[5] = (float)made++;
  if (is("small-pixels")) changed.struct_size = 8;
  if (is("calls-from-another-thread")) {
    pthread_t thread;
    pthread_create(&thread, NULL, stage_elsewhere, (void*)(uintptr_t)self->to);
    pthread_join(thread, NULL);
  }
  if (is("makes-two-images")) self->to->image(self->to->context, &changed, error);
  const rh_status status = self->to->image(self->to->context, &changed, error);
  if (is("hides-the-sinks-error") && status != RH_OK) return rh_fail(error, RH_ENGINE_INTERNAL, "something");
  return status;
}

static void misbehave(const rh_image_request* request) {
  if (is("prints")) printf("hello\n");
  if (is("prints-errors")) fprintf(stderr, "hello\n");
  if (is("crashes")) raise(SIGSEGV);
  if (is("is-killed")) raise(SIGKILL);
  if (is("aborts")) abort();
  if (is("exits")) exit(0);
  if (is("kills-its-group")) kill(0, SIGKILL);
  if (is("hangs") && request->options != NULL) pause();
  if (is("changes-directory") && chdir("/") != 0) abort();
  if (is("changes-locale")) setlocale(LC_ALL, "C.UTF-8");
  if (is("changes-environment")) setenv("OMP_NUM_THREADS", "1", 1);
  if (is("changes-signals")) signal(SIGPIPE, SIG_IGN);
  if (is("changes-file-mask")) umask(0);
  if (is("changes-rounding")) fesetround(FE_UPWARD);
  if (is("leaves-a-thread")) start_thread();
  if (is("logs-the-prompt")) {
    const rh_host_log* log = host_of_plugin->get_extension(host_of_plugin, RH_LOG_ID);
    log->write(host_of_plugin, RH_LOG_DEBUG, "pipeline", request->prompt);
  }
}

static rh_status broken_generate(rh_model* model, const rh_image_request* request, const rh_image_sink* sink,
                                 rh_error* error) {
  misbehave(request);
  relay state = {sink, 0};
  const rh_image_sink relayed = {sizeof relayed,  0,    &state,     relay_progress, relay_stage,
                                 relay_cancelled, NULL, relay_image};
  rh_image_request changed = *request;
  if (is("mixes-neighbours")) {
    static _Atomic uint32_t inside;
    ++inside;
    usleep(50000);
    changed.seed += inside - 1;
    usleep(50000);
    --inside;
  }
  if (is("drops-options")) changed.options = NULL;
  if (is("fails-at-ragged-sizes") && request->width != request->height) {
    return rh_fail(error, RH_INVALID_DIMENSION, "only squares");
  }
  if (is("refuses-newer-requests") && request->struct_size != sizeof *request) {
    return rh_fail(error, RH_ENGINE_INCOMPATIBLE, "struct_size is %u", request->struct_size);
  }
  return generate(model, &changed, &relayed, error);
}

/* ---- models and engines ---- */

static uint32_t broken_calls(rh_model* model) {
  (void)model;
  static uint32_t asked;
  if (is("takes-no-calls")) return 0;
  return is("changes-its-calls") ? 2 + asked++ : 4;
}

static const void* broken_model_extension(rh_model* model, const char* id) {
  (void)model;
  static const rh_concurrency concurrency = {sizeof concurrency, 0, broken_calls};
  const int counts = is("takes-no-calls") || is("changes-its-calls") || is("mixes-neighbours");
  if (counts && strcmp(id, RH_CONCURRENCY_ID) == 0) return &concurrency;
  static const rh_image image = {sizeof image, 0, broken_generate};
  static const rh_image empty = {sizeof empty, 0, NULL};
  static const rh_text text = {sizeof text, 0, broken_text, broken_render};
  static const rh_embedding embedding = {sizeof embedding, 0, broken_embed};
  if (strcmp(id, RH_TEXT_ID) == 0) return &text;
  if (strcmp(id, RH_EMBEDDING_ID) == 0) return &embedding;
  if (is("has-no-images")) return NULL;
  if (is("null-generate")) return &empty;
  return is("answers-every-extension") || strcmp(id, RH_IMAGE_ID) == 0 ? &image : NULL;
}

static rh_status broken_open(rh_engine* engine, const rh_model_source* source, rh_model** model,
                             rh_error* error) {
  rh_model_source changed = *source;
  if (is("drops-model-options")) changed.options = NULL;
  const rh_status status = open_model(engine, &changed, model, error);
  if (status == RH_OK) (*model)->get_extension = broken_model_extension;
  if (status == RH_OK && is("null-close")) (*model)->close = NULL;
  return status;
}

static const rh_facts* no_facts(rh_engine* engine) {
  (void)engine;
  static const rh_facts none = {sizeof none, 0, NULL};
  return is("describes-null") ? NULL : &none;
}

static rh_status misreport(rh_status status, rh_error* error) {
  if (status == RH_OK) return status;
  if (is("gives-no-message")) error->message[0] = '\0';
  if (is("gives-bytes-for-words")) error->message[0] = '\x80';
  if (is("gives-two-codes")) error->code = RH_TIMEOUT;
  if (is("invents-a-code")) return error->code = 4711;
  return status;
}

static rh_status broken_create(const char* id, const rh_engine_config* config, rh_engine** engine,
                               rh_error* error) {
  static int created;
  rh_engine_config changed = *config;
  if (is("takes-every-id")) id = "testcard";
  if (is("takes-every-device")) changed.device = "cpu";
  if (is("drops-engine-options")) changed.options = NULL;
  if (is("lives-once") && created++ > 0) return rh_fail(error, RH_ENGINE_INTERNAL, "only once");
  const rh_status status = rh_plugin_create(id, &changed, engine, error);
  if (status != RH_OK) return misreport(status, error);
  (*engine)->open_model = broken_open;
  (*engine)->get_extension = broken_engine_extension;
  if (is("describes-nothing") || is("describes-null")) (*engine)->describe = no_facts;
  if (is("small-engine")) (*engine)->struct_size = 8;
  return RH_OK;
}

/* ---- factory and entry ---- */

static uint32_t broken_count(void) {
  return is("has-no-engines") ? 0 : is("lists-itself-twice") ? 2 : 1;
}

static const rh_facts* with_weights(const rh_facts* from) {
  static rh_fact items[16];
  static rh_facts list = {sizeof list, 0, items};
  memcpy(items, from->items, from->count * sizeof *items);
  items[from->count] = (rh_fact)RH_FACT("convert", "f32");
  items[from->count + 1] = (rh_fact)RH_FACT("dtype", "f32");
  list.count = from->count + 2;
  return &list;
}

static const rh_engine_descriptor* broken_descriptor(uint32_t index) {
  static rh_engine_descriptor changed;
  static rh_fact nothing[] = {RH_FACT("feature", "modelless")};
  static const rh_facts few = {sizeof few, 1, nothing};
  static const rh_limit upside_down = {sizeof upside_down, 0, "width", 64, 16, 0};
  static const rh_limits limits = {sizeof limits, 1, &upside_down};
  if (index >= broken_count() && !is("describes-beyond")) return NULL;
  changed = *rh_plugin_descriptor(0);
  changed.capabilities = with_weights(changed.capabilities);
  if (is("bad-id")) changed.id = "Test Card";
  if (is("empty-name")) changed.name = "";
  if (is("unknown-maturity")) changed.maturity = 9;
  if (is("names-no-task")) changed.capabilities = &few;
  if (is("limits-upside-down")) changed.limits = &limits;
  if (is("another-version")) changed.version = "2.0.0";
  if (is("another-score")) changed.score = 1;
  return &changed;
}

static const void* broken_factory(const char* id) {
  static const rh_engine_factory factory = {sizeof factory, 0, broken_count, broken_descriptor,
                                            broken_create};
  if (is("has-no-factory")) return NULL;
  return is("answers-every-factory") || strcmp(id, RH_ENGINE_FACTORY_ID) == 0 ? &factory : NULL;
}

static rh_status broken_init(const rh_host* host, rh_error* error) {
  host_of_plugin = host;
  if (is("init-fails")) return rh_fail(error, RH_IO_ERROR, "no licence file");
  if (is("refuses-newer-hosts") && host->abi_version != RH_ABI_VERSION) {
    return rh_fail(error, RH_ENGINE_INCOMPATIBLE, "host speaks %u", host->abi_version);
  }
  return RH_OK;
}

RH_EXPORT rh_plugin_entry_v1 rh_plugin_entry;
rh_plugin_entry_v1 rh_plugin_entry = {sizeof rh_plugin_entry, RH_ABI_VERSION, broken_init, rh_plugin_deinit,
                                      broken_factory};

__attribute__((constructor)) static void at_load(void) {
  if (is("small-entry")) rh_plugin_entry.struct_size = 8;
  if (is("another-major")) rh_plugin_entry.abi_version = 2u << 16;
  if (is("null-init")) rh_plugin_entry.init = NULL;
  if (is("starts-a-thread-at-load")) start_thread();
  if (is("changes-directory-at-load") && chdir("/") != 0) abort();
  if (is("crashes-at-load")) raise(SIGBUS);
}

#ifdef MORE_EXPORTS
RH_EXPORT int more_exports(void);
int more_exports(void) {
  return 1;
}
#endif
