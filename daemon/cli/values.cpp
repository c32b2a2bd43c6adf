#include "cli/values.h"

#include "base/clock.h"

#include <algorithm>

namespace dutybook::cli {

using Sign = FieldArgument::Sign;

Result<std::vector<FieldArgument>> read_arguments(const std::vector<std::string>& arguments) {
    std::vector<FieldArgument> out;
    for (const auto& text : arguments) {
        const auto equals = text.find('=');
        FieldArgument one;
        if (equals != std::string::npos) {
            auto end = equals;
            const char before = equals > 0 ? text[equals - 1] : ' ';
            if (before == ':') one.sign = Sign::Raw;
            if (before == '+') one.sign = Sign::Add;
            if (before == '-') one.sign = Sign::Remove;
            if (one.sign != Sign::Text) --end;
            one.field = text.substr(0, end);
            one.value = text.substr(equals + 1);
        }
        if (one.field.empty()) {
            return usage_error("'" + text + "' is not a field",
                               "write field=value, field:=json, field+=value or field-=value");
        }
        out.push_back(std::move(one));
    }
    return out;
}

Result<KindShape> KindShape::fetch(Session& session, const std::string& kind) {
    KindShape shape;
    auto answer = session.get("/v1/kinds/" + percent_encode(kind));
    if (answer) {
        shape.document_ = std::move(*answer);
    } else if (answer.error().code != Code::NotFound && answer.error().code != Code::Malformed) {
        return answer.error();
    }
    return shape;
}

Json KindShape::schema_of(const std::string& field) const {
    const auto schema = document_.find("schema");
    if (schema == document_.end() || !schema->is_object()) return Json::object();
    Json found = schema->value("/properties"_json_pointer / field, Json::object());
    for (int hops = 0; hops < 8 && found.is_object() && found.contains("$ref"); ++hops) {
        const auto& target = found["$ref"];
        if (!target.is_string() || !target.get_ref<const std::string&>().starts_with('#')) break;
        const auto pointer = Json::json_pointer(target.get<std::string>().substr(1));
        Json next = schema->value(pointer, Json::object());
        found = std::move(next);
    }
    return found.is_object() ? found : Json::object();
}

Json KindShape::trait(const std::string& field, const char* name) const {
    const auto fields = document_.find("fields");
    if (fields == document_.end()) return {};
    if (fields->is_object()) {
        const auto found = fields->find(field);
        return found != fields->end() && found->is_object() ? found->value(name, Json()) : Json();
    }
    for (const auto& one : *fields) {
        if (one.is_object() && one.value("name", "") == field) return one.value(name, Json());
    }
    return {};
}

std::string KindShape::merge_of(const std::string& field) const {
    const Json merge = trait(field, "merge");
    return merge.is_string() ? merge.get<std::string>() : "register";
}

std::string KindShape::refers_of(const std::string& field) const {
    const Json refers = trait(field, "refers");
    return refers.is_string() ? refers.get<std::string>() : "";
}

namespace {

bool has_type(const Json& schema, std::string_view type) {
    const auto found = schema.find("type");
    if (found == schema.end()) return false;
    if (found->is_string()) return found->get_ref<const std::string&>() == type;
    return found->is_array() && std::any_of(found->begin(), found->end(), [&](const Json& one) {
               return one.is_string() && one.get_ref<const std::string&>() == type;
           });
}

// Text that the schema wants as something else; unchanged if it does not read as that, so that the
// daemon's sentence about it is the one that people see.
Json typed(const Json& schema, const std::string& text) {
    if (has_type(schema, "string") || schema.empty()) return text;
    Json parsed = Json::parse(text, nullptr, false);
    if (!parsed.is_discarded()) {
        const bool number = has_type(schema, "integer") || has_type(schema, "number");
        if (number && parsed.is_number()) return parsed;
        if (has_type(schema, "boolean") && parsed.is_boolean()) return parsed;
        if (has_type(schema, "object") && parsed.is_object()) return parsed;
        if (has_type(schema, "array") && parsed.is_array()) return parsed;
    }
    if (has_type(schema, "boolean") && (text == "yes" || text == "no")) return text == "yes";
    if (has_type(schema, "array")) {
        const auto items = schema.find("items");
        return Json::array(
            {typed(items != schema.end() && items->is_object() ? *items : Json::object(), text)});
    }
    return text;
}

std::string instant_text(Session& session, const std::string& format, const std::string& text) {
    const Millis now = SystemClock().now();
    const std::string& zone = session.zone();
    if (text == "today" || (format == "date" && text == "now")) return local_date(now, zone);
    constexpr std::size_t date_length = 10;  // "2026-05-04"
    if (format == "date" || (format == "date-or-instant" && text.size() == date_length)) {
        return text;
    }
    if (parse_instant(text)) return text;
    const auto instant = parse_instant_of_person(text, zone, now);
    return instant ? format_in_zone(*instant, zone) : text;
}

// A record made here has a 26-character id that nobody types: such a one may be shortened. An id
// that was imported is taken as written, because a reference to an unknown record is allowed and
// must not turn into a reference to another one.
Result<std::string> reference(Session& session, const std::string& text) {
    constexpr std::size_t made_id = 26;
    constexpr std::size_t shortest = 6;
    const bool words = text.starts_with('@');
    if (!words && (text.size() < shortest || text.size() >= made_id)) return text;
    auto found = session.get(session.in_space("records/" + percent_encode(text)));
    if (!found) {
        if (words || found.error().code == Code::Ambiguous) return found.error();
        return text;
    }
    const std::string id = found->value("id", text);
    if (!words && id.size() != made_id) return text;
    const std::string space = found->value("space", "");
    const bool parent = !session.settings().space.empty() && space != session.settings().space;
    return parent ? space + "/" + id : id;
}

}  // namespace

Result<Json> value_of(Session& session, const KindShape& kind, const std::string& field,
                      const std::string& text) {
    Json schema = kind.schema_of(field);
    if (has_type(schema, "array") && kind.merge_of(field) == "set") {
        schema = schema.value("items", Json::object());
    }
    if (!kind.refers_of(field).empty()) {
        TRY_ASSIGN(std::string id, reference(session, text));
        return json_result(std::move(id));
    }
    const std::string format = schema.value("format", "");
    if (format == "date-time" || format == "date" || format == "date-or-instant") {
        return json_result(instant_text(session, format, text));
    }
    return json_result(typed(schema, text));
}

namespace {

Result<Json> raw(const FieldArgument& one) {
    Json parsed = Json::parse(one.value, nullptr, false);
    if (parsed.is_discarded()) {
        return usage_error("the value of '" + one.field + "' is not JSON",
                           "quote it for the shell, or write field=value for text");
    }
    return json_result(std::move(parsed));
}

Result<Json> single(Session& session, const KindShape& kind, const FieldArgument& one) {
    if (one.sign == Sign::Raw) return raw(one);
    // Without a sign a whole set is given, so that one word is a list of one.
    TRY_ASSIGN(Json value, value_of(session, kind, one.field, one.value));
    const bool list = one.sign == Sign::Text && has_type(kind.schema_of(one.field), "array");
    if (list && !value.is_array()) {
        const Json parsed = Json::parse(one.value, nullptr, false);
        return json_result(parsed.is_array() ? parsed : Json::array({value}));
    }
    return json_result(std::move(value));
}

Error twice(const std::string& field) {
    return usage_error("'" + field + "' is given twice",
                       "give each field once; only += and -= may be repeated");
}

}  // namespace

Result<Json> fields_of(Session& session, const KindShape& kind,
                       const std::vector<FieldArgument>& arguments) {
    Json fields = Json::object();
    for (const auto& one : arguments) {
        if (one.sign == Sign::Remove) {
            return usage_error("a new record has nothing to remove from '" + one.field + "'",
                               "leave '" + one.field + "-=' out");
        }
        TRY_ASSIGN(Json value, single(session, kind, one));
        const bool add = one.sign == Sign::Add;
        if (fields.contains(one.field) && !(add && fields[one.field].is_array())) {
            return twice(one.field);
        }
        if (add && kind.merge_of(one.field) != "counter") {
            fields[one.field].push_back(std::move(value));
        } else {
            fields[one.field] = std::move(value);
        }
    }
    return json_result(std::move(fields));
}

Result<Json> patch_of(Session& session, const KindShape& kind,
                      const std::vector<FieldArgument>& arguments) {
    Json patch = Json::object();
    for (const auto& one : arguments) {
        const bool change = one.sign == Sign::Add || one.sign == Sign::Remove;
        const bool known = patch.contains(one.field);
        if (!change) {
            if (known) return twice(one.field);
            TRY_ASSIGN(patch[one.field], single(session, kind, one));
            continue;
        }
        Json& target = patch[one.field];
        if (!known) target = Json::object();
        if (known &&
            !(target.is_object() && (target.contains("$add") || target.contains("$remove") ||
                                     target.contains("$increment")))) {
            return twice(one.field);
        }
        if (kind.merge_of(one.field) == "counter") {
            const Json amount = Json::parse(one.value, nullptr, false);
            if (!amount.is_number_integer()) {
                return usage_error("'" + one.field + "' is a counter; it takes a whole number",
                                   "for example: " + one.field + "+=1");
            }
            const auto by = amount.get<std::int64_t>();
            target["$increment"] =
                target.value("$increment", std::int64_t{0}) + (one.sign == Sign::Add ? by : -by);
        } else {
            TRY_ASSIGN(Json element, single(session, kind, one));
            target[one.sign == Sign::Add ? "$add" : "$remove"].push_back(std::move(element));
        }
    }
    return json_result(std::move(patch));
}

}  // namespace dutybook::cli
