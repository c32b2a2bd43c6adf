#pragma once
// The small language inside declared needs: paths and moments. Pure.
//
//   path    NAME.FIELD[.MEMBER...]   NAME._id _kind _status _by _space _created _changed
//           config.SETTING[.MEMBER...]
//   moment  (path | now) [(+ | -) (ISO duration | config.SETTING)]

#include "base/json.h"
#include "base/result.h"
#include "rules/duration.h"
#include "rules/evaluator.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace dutybook::rules {

struct Path {
    std::string name;                  // of the subject, a need, or "config"
    std::vector<std::string> members;  // at least one

    bool of_configuration() const { return name == "config"; }
    bool whole_field() const { return members.size() == 1 && !members.front().starts_with('_'); }
    bool is_id() const { return members.size() == 1 && members.front() == "_id"; }
    std::string text() const;
};

struct Moment {
    std::optional<Path> base;            // nothing: now
    std::variant<Duration, Path> moved;  // Path: a setting
    bool back = false;                   // the setting is taken away
};

Result<Path> parse_path(std::string_view text);
Result<Moment> parse_moment(std::string_view text);

// All values that the path reaches in a record, lists gone into, null left out.
std::vector<Json> values_at(const Path& path, const RuleRecord& record);
std::vector<Json> values_at(const Path& path, const Json& configuration);

// The duration of a moment; nothing if its setting holds none.
std::optional<Duration> duration_of(const Moment& moment, const Json& configuration);

}  // namespace dutybook::rules
