/* SPDX-License-Identifier: Apache-2.0
 * The one error taxonomy: every failure anywhere in Roundhouse is one of these codes, spelled the same in C
 * (RH_MODEL_NOT_FOUND), on the command line, in JSON and in logs (MODEL_NOT_FOUND). */
#ifndef ROUNDHOUSE_STATUS_H
#define ROUNDHOUSE_STATUS_H

#include <stdint.h>

/* A value of the enumeration below, or RH_OK. An unknown value is treated as RH_ENGINE_INTERNAL by the host.
 */
typedef int32_t rh_status;

/* X(NAME, value, http status, exit status, whose move, hint, sample message)
 * Values never change and are never reused; the hundred is the family, and a family shares an exit status. */
#define RH_STATUS_CATALOGUE(X)                                                                               \
  X(INVALID_ARGUMENT, 101, 400, 2, "caller", "correct the named field and send the request again",           \
    "steps: 51 is out of range, expected 1 to 50")                                                           \
  X(INVALID_DIMENSION, 102, 400, 2, "caller",                                                                \
    "pick a size within the model's limits (see 'roundhouse models')",                                       \
    "width: 1000 is not a multiple of 64")                                                                   \
  X(UNSAFE_NAME, 103, 400, 2, "caller", "use a plain name, or an explicit path with a leading ./ or /",      \
    "model: '../secret' contains '..', expected a name like pocket-turbo or an explicit path")               \
  X(UNKNOWN_OPTION, 104, 400, 2, "caller",                                                                   \
    "see --help, or the engine's documentation, for the options it takes",                                   \
    "option 'sharpness' is not known to engine 'reference'")                                                 \
  X(CAPABILITY_UNSUPPORTED, 201, 422, 3, "caller",                                                           \
    "pick another engine or model: 'roundhouse engines' lists what each can do",                             \
    "engine 'testcard' does not do image-to-image")                                                          \
  X(LORA_UNSUPPORTED_ENGINE, 202, 422, 3, "caller", "pick an engine with the feature lora",                  \
    "engine 'testcard' takes no LoRA")                                                                       \
  X(LORA_INVALID, 203, 422, 3, "caller", "use a LoRA that was trained for this model",                       \
    "lora 'neon.safetensors': key 'unet.down.0' matches no module of the model")                             \
  X(UNSUPPORTED_DEVICE, 204, 422, 3, "caller", "use one of the devices that 'roundhouse engines' lists",     \
    "device 'metal' is not available, expected one of: auto, cpu")                                           \
  X(CPU_NOT_ALLOWED, 205, 403, 3, "caller",                                                                  \
    "add --allow-cpu if a slow run on the processor is what you want",                                       \
    "device 'cpu' was asked for without permission")                                                         \
  X(INSTALL_NOT_ALLOWED, 206, 403, 3, "operator", "pull the model yourself, or allow automatic pulls",       \
    "model 'z-image' is not installed and automatic pulls are off")                                          \
  X(ENGINE_NOT_FOUND, 301, 404, 4, "caller", "'roundhouse engines' lists the engines that were found",       \
    "engine 'vulkan' was not found among: openblas, reference, testcard")                                    \
  X(MODEL_NOT_FOUND, 302, 404, 4, "caller", "'roundhouse models' lists the models that were found",          \
    "model 'pocket-turbp' was not found among: pocket-base, pocket-turbo")                                   \
  X(WEIGHTS_MISSING, 303, 404, 4, "operator", "fetch the model again, or complete the directory",            \
    "model directory 'm': missing vae/config.json, tokenizer/merges.txt")                                    \
  X(MODEL_NOT_CONVERTED, 304, 409, 4, "operator", "convert the model for this engine first",                 \
    "model 'm' is stored as gguf, engine 'reference' reads safetensors")                                     \
  X(INTEGRITY_MISMATCH, 401, 500, 5, "operator", "the file changed or is damaged: fetch it again",           \
    "file 'vae/config.json': sha256 is 1f.., expected 9c..")                                                 \
  X(MODEL_INVALID, 402, 422, 5, "operator",                                                                  \
    "the model's files contradict each other or are damaged: fetch it again",                                \
    "transformer/config.json: n_heads: 0 is out of range, expected 1 or more")                               \
  X(CONVERSION_FAILED, 403, 500, 5, "operator", "see the message for the tensor at fault",                   \
    "tensor 'layers.0.w': row length 30 is not a multiple of 32, as Q8_0 needs")                             \
  X(ENGINE_INCOMPATIBLE, 501, 500, 6, "engine author", "build the plugin against this host's SDK",           \
    "plugin speaks ABI 2.0, this host speaks 1.0")                                                           \
  X(ENGINE_BROKEN, 502, 500, 6, "engine author",                                                             \
    "the plugin breaks a rule of CONTRACT.md: report it to its author",                                      \
    "engine 'x' returned success without an image (rule P20)")                                               \
  X(ENGINE_CRASHED, 503, 500, 6, "engine author",                                                            \
    "try again or pick another engine; report the crash to its author",                                      \
    "engine 'x' died of signal 11 (SIGSEGV) in generate")                                                    \
  X(ENGINE_INTERNAL, 504, 500, 6, "engine author", "report it to the engine's author with the message",      \
    "engine 'x': unexpected exception: bad cast")                                                            \
  X(PIPELINE_ERROR, 505, 500, 6, "operator",                                                                 \
    "the numbers went bad: check the weights, or try another engine or dtype",                               \
    "denoise: 12 values of the latents are not finite after step 3")                                         \
  X(OUT_OF_MEMORY, 601, 507, 7, "operator", "pick a smaller size or model, or free memory",                  \
    "1024x1024 needs about 9.1 GB, 4.0 GB are allowed")                                                      \
  X(INSUFFICIENT_STORAGE, 602, 507, 7, "operator", "free some space on that file system",                    \
    "output directory 'out': no space left on device")                                                       \
  X(QUEUE_FULL, 603, 503, 7, "caller", "try again later", "64 requests are waiting already, at most 64 may") \
  X(TIMEOUT, 604, 504, 7, "operator", "allow more time, or pick a faster engine or a smaller image",         \
    "engine 'x' showed no progress for 120 s in generate")                                                   \
  X(IO_ERROR, 605, 500, 7, "operator", "check that the path exists and may be read or written",              \
    "output directory '/x': permission denied")                                                              \
  X(AUTH_REQUIRED, 701, 401, 8, "operator", "give a token that may read this source",                        \
    "hub: 401 for org/name")                                                                                 \
  X(SOURCE_UNREACHABLE, 702, 502, 8, "operator", "check the network and the address",                        \
    "hub.example: connection refused")                                                                       \
  X(SOURCE_REJECTED, 703, 502, 8, "operator", "see what the source answered",                                \
    "registry: 400 for manifest v1")                                                                         \
  X(CANCELLED, 801, 499, 130, "nobody", "nothing to do: the request was cancelled",                          \
    "cancelled during denoise, step 3 of 8")                                                                 \
  X(INTERNAL, 901, 500, 1, "roundhouse",                                                                     \
    "this is a mistake in Roundhouse: please report it with the message",                                    \
    "unexpected exception: std::bad_variant_access")

enum {
  RH_OK = 0,
#define RH_STATUS_ENUMERATOR(name, value, http, exit, mover, hint, sample) RH_##name = value,
  RH_STATUS_CATALOGUE(RH_STATUS_ENUMERATOR)
#undef RH_STATUS_ENUMERATOR
      RH_STATUS_FORCE_32_BITS = 0x7fffffff
};

#endif
