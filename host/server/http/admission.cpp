// SPDX-License-Identifier: Apache-2.0
// Routes, rights and the life of a handler.
#include "host/server/http/admission.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>

#include "host/log/terminal_text.h"
#include "host/log/to_error.h"
#include "host/server/http/own_address.h"
#include "host/server/http/target.h"
#include "host/text/list.h"

namespace roundhouse::host::http {
namespace {

bool is_sane_id(std::string_view id) {
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

std::string fresh_id() {
  static constexpr char kDigits[] = "0123456789abcdef";
  thread_local std::mt19937_64 random{(std::uint64_t{std::random_device{}()} << 32) | std::random_device{}()};
  std::uint64_t bits = random();
  std::string id = "req-";
  for (int i = 0; i < 16; ++i, bits >>= 4)
    id += kDigits[bits & 15];
  return id;
}

void begin(Admission& admission, const Shared& shared) {
  Request& request = admission.request;
  const auto given = request.headers.find("X-Request-Id");
  request.request_id = given && is_sane_id(*given) ? std::string(*given) : fresh_id();
  admission.dialect = &shared.router.dialect_of(request.path.empty() ? "/" : request.path);
  admission.fields = {{"Server", shared.options.name}, {"X-Request-Id", request.request_id}};
}

// Names that are in the path or the query end up in answers.
void check_utf8(const Request& request) {
  const bool sane = is_utf8(request.path) && std::ranges::all_of(request.query, [](const auto& pair) {
                      return is_utf8(pair.first) && is_utf8(pair.second);
                    });
  if (!sane) throw HttpError(400, RH_INVALID_ARGUMENT, "the target of the request is not valid UTF-8");
}

// An encoding that is not known says nothing of where the body ends: what follows could be its rest or the
// next request (RFC 9112, 6.1 and 6.3).
void check_transfer_encoding(const Request& request) {
  const auto encoding = request.headers.find("Transfer-Encoding");
  if (!encoding) return;
  if (request.headers.count("Transfer-Encoding") > 1 || request.headers.find("Content-Length")) {
    throw HttpError(400, RH_INVALID_ARGUMENT, "the request says in two ways where its body ends");
  }
  if (!equal_without_case(*encoding, "chunked")) {
    throw HttpError(
        501, RH_INVALID_ARGUMENT,
        "transfer encoding '" + std::string(encoding->substr(0, 40)) + "' is not known, expected chunked");
  }
}

void find_route(Admission& admission, const Shared& shared, const std::string& path) {
  Request& request = admission.request;
  RouteMatch match = shared.router.find(request.method, path);
  const std::string allowed = joined(match.allowed);
  if (request.method == "OPTIONS" && (path == "*" || !match.allowed.empty())) {
    admission.preflight = true;
    if (!allowed.empty()) admission.fields.emplace_back("Allow", allowed);
    if (is_preflight(request)) {
      for (auto& field : preflight_fields(request, allowed))
        admission.fields.push_back(std::move(field));
    }
    return;
  }
  if (match.allowed.empty()) {
    throw HttpError(404, RH_INVALID_ARGUMENT, "path '" + request.path + "' is not known",
                    "GET /openapi.json lists the routes");
  }
  if (match.route == nullptr) {
    throw HttpError(405, RH_INVALID_ARGUMENT,
                    "path '" + request.path + "' does not take " + request.method + ", expected " + allowed,
                    {}, {{"Allow", allowed}});
  }
  admission.route = match.route;
  request.route = match.route->pattern;
  request.parameters = std::move(match.parameters);
}

void check_body(const Admission& admission, std::optional<std::uint64_t> content_length) {
  const auto expectation = admission.request.headers.find("Expect");
  if (expectation && !equal_without_case(*expectation, "100-continue")) {
    throw HttpError(417, RH_INVALID_ARGUMENT,
                    "expectation '" + std::string(*expectation) + "' is not known, expected 100-continue");
  }
  const std::uint64_t limit = admission.route->options.body_limit;
  if (content_length.value_or(0) > limit) {
    throw HttpError(413, RH_INVALID_ARGUMENT,
                    fmt::format("the body is {} bytes, expected at most {}", *content_length, limit));
  }
}

}  // namespace

Admission admit(Request request, const Shared& shared, std::optional<std::uint64_t> content_length) {
  Admission admission;
  admission.request = std::move(request);
  Request& r = admission.request;
  const std::optional<Target> target = parse_target(r.target);
  const std::shared_ptr<const AccessPolicy> access = shared.access.get();
  OwnAddress own;
  std::string path;
  if (target) {
    // Who names the host in the target means that one (RFC 9112, 3.2.2).
    if (target->authority && r.headers.count("Host") == 1) r.headers.replace("Host", *target->authority);
    own = own_address(r, *access);
    path = path_below(target->path, *access, own);
    r.path = percent_decoded(path).value_or("/");
    r.query = target->query;
  }
  begin(admission, shared);
  try {
    if (!target) {
      throw HttpError(400, RH_INVALID_ARGUMENT, "the target of the request is not a path");
    }
    check_utf8(r);
    check_transfer_encoding(r);
    check_host(r, *access);
    r.own_url = own.url();
    check_origin(r, *access);
    for (auto& field : origin_fields(r, *access))
      admission.fields.push_back(std::move(field));
    find_route(admission, shared, path);
    if (admission.preflight) return admission;
    if (!admission.route->options.open) check_key(r, *access);
    check_body(admission, content_length);
  } catch (const HttpError& error) {
    admission.refusal = error;
  }
  return admission;
}

Admission refuse(Request request, const Shared& shared, const HttpError& why) {
  Admission admission;
  admission.request = std::move(request);
  begin(admission, shared);
  admission.refusal = why;
  return admission;
}

namespace {

std::optional<Error> run(Channel& channel, const Admission& admission) {
  try {
    if (admission.refusal) {
      channel.fail(*admission.refusal);
      return *admission.refusal;
    }
    if (admission.preflight) {
      channel.send(204, "", "");
      return std::nullopt;
    }
    admission.route->handler(channel);
    if (!channel.answered())
      throw Error(RH_INTERNAL, "route " + admission.route->pattern + " gave no answer");
    return std::nullopt;
  } catch (const HttpError& error) {
    channel.fail(error);
    return error;
  } catch (const std::exception& exception) {
    const Error error = to_error(exception);
    channel.fail(error);
    return error;
  }
}

}  // namespace

void answer(Channel& channel, const Admission& admission, const Shared& shared) {
  std::optional<Error> error;
  try {
    error = run(channel, admission);
    channel.finish();
  } catch (const std::exception& exception) {
    // Not even the failure could be told: no memory. The connection ends.
    error = to_error(exception);
    channel.gone();
    channel.finish();
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - channel.request().received;
  const Completed completed{channel.request(), channel.status(),      channel.bytes_written(),
                            took.count(),      channel.client_left(), error ? &*error : nullptr,
                            channel.notes()};
  shared.options.completed(completed);
}

}  // namespace roundhouse::host::http
