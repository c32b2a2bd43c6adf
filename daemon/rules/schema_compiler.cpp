#include "rules/schema_keywords.h"
#include "rules/schema_program.h"

#include <algorithm>
#include <cctype>
#include <deque>
#include <map>

namespace dutybook::rules {
namespace {

constexpr std::size_t most_nodes = 20'000;

// A work list instead of recursion: a schema may be nested or chained by $ref as deep as it likes.
class Compiler final : public NodeMaker {
public:
    explicit Compiler(const Json& document)
        : document_(document), program_(std::make_shared<SchemaProgram>()) {}

    Result<std::shared_ptr<const SchemaProgram>> run() {
        TRY_ASSIGN(const NodeId root, node_for("", document_));
        static_cast<void>(root);
        while (!waiting_.empty()) {
            const Waiting next = waiting_.front();
            waiting_.pop_front();
            TRY(compile(next));
        }
        TRY(refuse_endless_recursion());
        return std::shared_ptr<const SchemaProgram>(program_);
    }

private:
    struct Waiting {
        NodeId id;
        std::string pointer;
        const Json* schema;
    };

    // The node of the schema at a pointer, made once; what it holds is compiled later.
    Result<NodeId> node_for(const std::string& pointer, const Json& schema) override {
        const auto known = ids_.find(pointer);
        if (known != ids_.end()) return known->second;
        if (!schema.is_object() && !schema.is_boolean()) {
            return malformed("a schema must be an object, true or false", pointer);
        }
        if (program_->nodes.size() >= most_nodes) {
            return malformed("the schema is too large (more than 20000 parts)", pointer);
        }
        const auto id = static_cast<NodeId>(program_->nodes.size());
        program_->nodes.emplace_back();
        ids_.emplace(pointer, id);
        waiting_.push_back({id, pointer, &schema});
        return id;
    }

    Result<void> compile(const Waiting& next) {
        Node node;
        if (next.schema->is_boolean()) {
            node.never = !next.schema->get<bool>();
        } else if (const auto ref = next.schema->find("$ref"); ref != next.schema->end()) {
            TRY(reference(node, *ref, pointer_to(next.pointer, "$ref")));  // siblings do not count
            TRY(definitions_beside(*next.schema, next.pointer));
        } else {
            for (const auto& [keyword, value] : next.schema->items()) {
                TRY(compile_keyword(node, keyword, value, next.pointer, *this));
            }
        }
        program_->nodes[next.id] = std::move(node);
        return {};
    }

    // "definitions" beside "$ref" are still there to be referred to.
    Result<void> definitions_beside(const Json& schema, const std::string& pointer) {
        const auto definitions = schema.find("definitions");
        if (definitions == schema.end()) return {};
        Node unused;
        return compile_keyword(unused, "definitions", *definitions, pointer, *this);
    }

    Result<void> reference(Node& node, const Json& value, const std::string& pointer) {
        if (!value.is_string()) return malformed("$ref must be a text", pointer);
        TRY_ASSIGN(const std::string target, local_pointer(value.get<std::string>(), pointer));
        const Json* schema = nullptr;
        try {
            schema = &document_.at(Json::json_pointer(target));
        } catch (const Json::exception&) {
            return malformed("$ref names a place that is not in this schema: #" + target, pointer);
        }
        node.combination = std::make_unique<Combination>();
        TRY_ASSIGN(node.combination->ref, node_for(target, *schema));
        return {};
    }

    // "#" or "#/a/b", percent-decoded. Anything else would have to be fetched from somewhere.
    static Result<std::string> local_pointer(const std::string& ref, const std::string& pointer) {
        if (!ref.starts_with("#") || (ref.size() > 1 && ref[1] != '/')) {
            return malformed(
                "$ref may only name a place in the same schema (#/...), not \"" + ref + "\"",
                pointer);
        }
        std::string decoded;
        for (std::size_t i = 1; i < ref.size(); ++i) {
            const bool escape = ref[i] == '%' && i + 2 < ref.size() &&
                                std::isxdigit(static_cast<unsigned char>(ref[i + 1])) != 0 &&
                                std::isxdigit(static_cast<unsigned char>(ref[i + 2])) != 0;
            if (!escape) {
                decoded += ref[i];
                continue;
            }
            decoded += static_cast<char>(std::stoi(ref.substr(i + 1, 2), nullptr, 16));
            i += 2;
        }
        return decoded;
    }

    // Nodes that are applied to the same value as their parent; a circle of these never ends.
    static std::vector<NodeId> in_place(const Node& node) {
        std::vector<NodeId> ids;
        const auto add = [&](const std::optional<NodeId>& id) {
            if (id) ids.push_back(*id);
        };
        if (node.combination) {
            const Combination& c = *node.combination;
            for (const auto* group : {&c.all_of, &c.any_of, &c.one_of}) {
                ids.insert(ids.end(), group->begin(), group->end());
            }
            for (const auto& id : {c.ref, c.no, c.condition, c.then, c.otherwise}) add(id);
        }
        if (node.object) {
            for (const Dependency& dependency : node.object->dependencies) add(dependency.schema);
        }
        return ids;
    }

    Result<void> refuse_endless_recursion() const {
        enum class Mark : std::uint8_t { New, Open, Done };
        std::vector<Mark> marks(program_->nodes.size(), Mark::New);
        std::vector<std::pair<NodeId, bool>> stack;  // true: leaving
        for (NodeId root = 0; root < marks.size(); ++root) {
            stack.emplace_back(root, false);
            while (!stack.empty()) {
                const auto [id, leaving] = stack.back();
                stack.pop_back();
                if (leaving) {
                    marks[id] = Mark::Done;
                    continue;
                }
                if (marks[id] != Mark::New) continue;
                marks[id] = Mark::Open;
                stack.emplace_back(id, true);
                for (const NodeId next : in_place(program_->nodes[id])) {
                    if (marks[next] == Mark::Open) {
                        return malformed("the schema refers to itself without end",
                                         pointer_of(next));
                    }
                    stack.emplace_back(next, false);
                }
            }
        }
        return {};
    }

    std::string pointer_of(NodeId id) const {
        const auto found = std::find_if(ids_.begin(), ids_.end(),
                                        [&](const auto& entry) { return entry.second == id; });
        return found == ids_.end() ? std::string() : found->first;
    }

    const Json& document_;
    std::shared_ptr<SchemaProgram> program_;
    std::map<std::string, NodeId> ids_;
    std::deque<Waiting> waiting_;
};

}  // namespace

Result<std::shared_ptr<const SchemaProgram>> compile_schema(const Json& document) {
    return Compiler(document).run();
}

}  // namespace dutybook::rules
