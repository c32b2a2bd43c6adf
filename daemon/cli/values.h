#pragma once
// Field arguments of the command line, made into JSON with the help of the kind's schema.
//
//   field=value    text; a number, a boolean, a list or an object where the schema says so; an
//                  instant may be `now`, `HH:MM` or a date, a date may be `today`; a reference may
//                  be `@words`
//   field:=json    the JSON as it stands (null clears the field)
//   field+=value   adds to a set field, or increments a counter
//   field-=value   removes from a set field, or decrements a counter

#include "cli/session.h"

#include <string>
#include <vector>

namespace dutybook::cli {

struct FieldArgument {
    enum class Sign : unsigned char { Text, Raw, Add, Remove };
    std::string field;
    Sign sign = Sign::Text;
    std::string value;
};

// Code::Malformed as wrong use (exit 2) if the argument has no sign or no field.
Result<std::vector<FieldArgument>> read_arguments(const std::vector<std::string>& arguments);

// What the daemon told of a kind; empty for an unknown kind (then all values are text).
class KindShape {
public:
    static Result<KindShape> fetch(Session& session, const std::string& kind);

    // The schema of a field with local references resolved; an empty object if it is unknown.
    Json schema_of(const std::string& field) const;
    std::string merge_of(const std::string& field) const;   // register, set, counter
    std::string refers_of(const std::string& field) const;  // kind, or empty

private:
    Json trait(const std::string& field, const char* name) const;
    Json document_ = Json::object();
};

// The fields of a new record: `+=` makes a list.
Result<Json> fields_of(Session& session, const KindShape& kind,
                       const std::vector<FieldArgument>& arguments);
// A merge patch for an existing one.
Result<Json> patch_of(Session& session, const KindShape& kind,
                      const std::vector<FieldArgument>& arguments);
// One value as `field=value` would make it.
Result<Json> value_of(Session& session, const KindShape& kind, const std::string& field,
                      const std::string& text);

}  // namespace dutybook::cli
