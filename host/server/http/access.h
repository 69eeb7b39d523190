// SPDX-License-Identifier: Apache-2.0
// Who may ask: Host against DNS rebinding, Origin against pages of others, keys against everybody else.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/server/http/http_error.h"
#include "host/server/http/message.h"

namespace roundhouse::host::http {

struct OwnAddress {
  std::string scheme = "http";
  std::string host;    // with a port where that is not the scheme's own
  std::string prefix;  // of all paths, "/images", or empty

  std::string origin() const { return scheme + "://" + host; }
  std::string url() const { return origin() + prefix; }
};

struct AccessPolicy {
  std::uint16_t port = 0;                    // of this server
  bool remote = false;                       // whether addresses beside loopback are served
  std::vector<std::string> allowed_hosts;    // names beside loopback's, without a port
  std::vector<std::string> allowed_origins;  // "https://app.example", or "*" for all
  std::vector<std::string> api_keys;         // none: no key is asked for
  std::vector<std::string> trusted_proxies;  // addresses and networks beside loopback's: see own_address.h
  std::optional<OwnAddress> public_address;  // as clients reach this server; none: as their requests say
  std::string base_path;                     // "/roundhouse": routes are also below it; empty: only at /
};

// A policy that another may take the place of while requests are checked. Any thread.
class SharedAccess {
 public:
  explicit SharedAccess(AccessPolicy policy) { set(std::move(policy)); }
  std::shared_ptr<const AccessPolicy> get() const {
    const std::lock_guard lock(mutex_);
    return policy_;
  }
  void set(AccessPolicy policy) {
    auto fresh = std::make_shared<const AccessPolicy>(std::move(policy));
    const std::lock_guard lock(mutex_);
    policy_ = std::move(fresh);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const AccessPolicy> policy_;
};

// "localhost", names beneath it, 127.0.0.0/8 and [::1].
bool is_loopback_name(std::string_view host);
// "name", "name:8080" or "[::1]:8080" without the port; empty for what is none of them.
std::string host_name_of(std::string_view host_and_port);

// Whether this server answers to the name, which is one of host_name_of.
bool is_own_name(const std::string& name, const AccessPolicy& policy);
// Throws an HttpError of 400 (no Host, or two) or 403 (a name that is not this server's).
void check_host(const Request& request, const AccessPolicy& policy);
// Whether a page of that origin may ask. Pages of this server may, under any of its loopback names and under
// the address that a trusted proxy gives it.
bool origin_allowed(std::string_view origin, const Request& request, const AccessPolicy& policy);
// Throws an HttpError of 403 for an Origin that is not allowed. A request without one comes from no page.
void check_origin(const Request& request, const AccessPolicy& policy);
// Throws an HttpError of 401 unless the request has one of the keys, as `Authorization: Bearer KEY` or
// `X-Api-Key: KEY`, or no key is asked for. The time it takes says nothing about a key but its length.
void check_key(const Request& request, const AccessPolicy& policy);

// The fields that let a page of an allowed foreign origin read the answer; none for all other requests.
HttpError::Fields origin_fields(const Request& request, const AccessPolicy& policy);
// The fields of the answer to a preflight from an allowed origin; `methods` are those of the path.
HttpError::Fields preflight_fields(const Request& request, const std::string& methods);
bool is_preflight(const Request& request);

}  // namespace roundhouse::host::http
