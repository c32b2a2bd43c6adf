#pragma once
// What git, ssh and curl print, sorted out for people.

#include "base/result.h"
#include "sync/remote_url.h"

#include <string>
#include <string_view>

namespace dutybook::sync {

enum class Step : unsigned char { List, Fetch, Push };

// `said` is git's stderr (LC_ALL=C). The error names the remote and the cause, and what to do:
// unreachable, host key unknown or changed, key refused, sign-in refused, no repository, no write
// right, certificate not trusted, disk full (there or here), damaged, link dropped.
// Code::Corrupt only where the remote's own repository is damaged.
Error sort_out(std::string_view said, Step step, const std::string& name, const RemoteUrl& url);

// "remote hub (https://...)", without a password.
std::string name_of_remote(const std::string& name, const std::string& url);

// What the host said of a push it refused, for people; empty if nothing.
std::string words_of_host(std::string_view said);

}  // namespace dutybook::sync
