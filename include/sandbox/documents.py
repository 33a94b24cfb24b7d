"""GraphQL documents: parsed and validated by graphql-core, then answered by hand from the selection set.

Running a resolver per field of ten thousand records takes seconds; picking the selected fields from plain values takes milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from graphql import (
    BooleanValueNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInputType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSyntaxError,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    StringValueNode,
    ValueNode,
    VariableNode,
    build_schema,
    execute_sync,
    parse,
    specified_rules,
    type_from_ast,
    validate,
)

from include.sandbox.coercion import Coercer, WrongType, coercer

SCHEMA_FOLDER = Path(__file__).parents[1] / "cj" / "schema"

_KINDS = {
    "FieldsOnCorrectTypeRule": "FieldUndefined",
    "KnownArgumentNamesRule": "UnknownArgument",
    "KnownDirectivesRule": "UnknownDirective",
    "KnownFragmentNamesRule": "UndefinedFragment",
    "KnownTypeNamesRule": "UnknownType",
    "NoUndefinedVariablesRule": "UndefinedVariable",
    "NoUnusedVariablesRule": "UnusedVariable",
    "ProvidedRequiredArgumentsRule": "MissingFieldArgument",
    "ScalarLeafsRule": "SubSelectionRequired",
    "ValuesOfCorrectTypeRule": "WrongType",
    "VariablesInAllowedPositionRule": "VariableTypeMismatch",
}
"""graphql-java's word for each rule; the rest are `InvalidSyntax`."""


class Refused(Exception):
    """The request fails before any order is looked at: HTTP 200 with these messages in `errors`."""

    def __init__(self, *messages: str, classification: str = "ValidationError") -> None:
        super().__init__(messages[0])
        self.messages = messages
        self.classification = classification


@dataclass(frozen=True)
class Prepared:
    """A document that fits the schema, and the operation in it to run."""

    document: DocumentNode
    operation: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    root: GraphQLObjectType


class Documents:
    """The documents of one schema file; each distinct one is parsed and validated once."""

    def __init__(self, schema_file: str) -> None:
        self.schema: GraphQLSchema = build_schema((SCHEMA_FOLDER / schema_file).read_text(encoding="utf-8"))
        self._made: dict[str, Coercer] = {}
        self._prepared = lru_cache(maxsize=256)(self._prepare)

    def prepare(self, query: str, operation_name: str | None) -> Prepared:
        """Raises Refused, with `Invalid Syntax` or `Validation error of type ...`."""
        if len(query) > 100_000:  # inline orders: not worth keeping
            return self._prepare(query, operation_name)
        return self._prepared(query, operation_name)

    def _prepare(self, query: str, operation_name: str | None) -> Prepared:
        try:
            document = parse(query, no_location=len(query) > 100_000)
        except GraphQLSyntaxError as error:
            raise Refused(f"Invalid Syntax: {error.message}", classification="InvalidSyntax") from None
        for rule in specified_rules:
            found = validate(self.schema, document, [rule], max_errors=100)
            if found:
                kind = _KINDS.get(rule.__name__, "InvalidSyntax")
                raise Refused(*(f"Validation error of type {kind}: {error.message}" for error in found))
        operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
        chosen = [o for o in operations if operation_name is None or (o.name and o.name.value == operation_name)]
        if len(chosen) != 1:
            raise Refused("Invalid Syntax: operationName must name exactly one operation of the document.", classification="InvalidSyntax")
        root = self.schema.mutation_type if chosen[0].operation is OperationType.MUTATION else self.schema.query_type
        assert root is not None  # validation refuses operations the schema does not have
        fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        return Prepared(document, chosen[0], fragments, root)

    def coerce_variables(self, prepared: Prepared, given: Mapping[str, Any]) -> dict[str, Any]:
        """The operation's variables, strictly typed. Raises Refused with one WrongType message a fault."""
        variables: dict[str, Any] = {}
        for definition in prepared.operation.variable_definitions or ():
            name = definition.variable.name.value
            if name not in given and definition.default_value is not None:
                variables[name] = literal(definition.default_value, {})
                continue
            type_ = type_from_ast(self.schema, definition.type)
            try:
                value = coercer(type_, self._made)(given.get(name))  # type: ignore[arg-type]
            except WrongType as error:
                raise Refused(*error.under(name).messages()) from None
            if name in given:
                variables[name] = value
        return variables

    def arguments(self, prepared: Prepared, field: FieldNode, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of a root field. Raises Refused."""
        definitions = prepared.root.fields[field.name.value].args
        result: dict[str, Any] = {}
        for node in field.arguments or ():
            name = node.name.value
            if isinstance(node.value, VariableNode):
                if node.value.name.value in variables:
                    result[name] = variables[node.value.name.value]
                continue
            type_: GraphQLInputType = definitions[name].type
            try:
                result[name] = coercer(type_, self._made)(literal(node.value, variables))
            except WrongType as error:
                raise Refused(*error.under(name).messages()) from None
        return result

    def introspect(self, prepared: Prepared, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to `__schema` and `__type`, by graphql-core itself."""
        return execute_sync(self.schema, prepared.document, variable_values=dict(variables)).formatted  # type: ignore[return-value]


def literal(node: ValueNode, variables: Mapping[str, Any]) -> Any:
    """A literal of the document as the JSON value it stands for."""
    if isinstance(node, VariableNode):
        return variables.get(node.name.value)
    if isinstance(node, (StringValueNode, EnumValueNode, BooleanValueNode)):
        return node.value
    if isinstance(node, IntValueNode):
        return int(node.value)
    if isinstance(node, FloatValueNode):
        return float(node.value)  # only ever to be refused: no argument of CJ's takes a float
    if isinstance(node, ListValueNode):
        return [literal(v, variables) for v in node.values]
    if isinstance(node, ObjectValueNode):
        return {
            f.name.value: literal(f.value, variables)
            for f in node.fields
            if not (isinstance(f.value, VariableNode) and f.value.name.value not in variables)
        }
    assert isinstance(node, NullValueNode)
    return None


@dataclass(frozen=True)
class Selected:
    """One field of the answer: its name in the answer, its field, and what is selected below it."""

    key: str
    name: str
    node: FieldNode
    below: tuple[SelectionNode, ...]


def collect(
    prepared: Prepared, selections: tuple[SelectionNode, ...], type_name: str, variables: Mapping[str, Any]
) -> list[Selected]:  # fmt: skip
    """The fields selected on `type_name`, fragments followed, `@skip` and `@include` applied, equal keys merged."""
    found: dict[str, Selected] = {}

    def walk(nodes: tuple[SelectionNode, ...]) -> None:
        for node in nodes:
            if not _included(node, variables):
                continue
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias else node.name.value
                below = node.selection_set.selections if node.selection_set else ()
                before = found[key].below if key in found else ()
                found[key] = Selected(key, node.name.value, node, (*before, *below))
            elif isinstance(node, InlineFragmentNode):
                if node.type_condition is None or node.type_condition.name.value == type_name:
                    walk(tuple(node.selection_set.selections))
            elif isinstance(node, FragmentSpreadNode):
                fragment = prepared.fragments[node.name.value]
                if fragment.type_condition.name.value == type_name:
                    walk(tuple(fragment.selection_set.selections))

    walk(tuple(selections))
    return list(found.values())


def _included(node: SelectionNode, variables: Mapping[str, Any]) -> bool:
    for directive in node.directives or ():
        condition = bool(literal(directive.arguments[0].value, variables)) if directive.arguments else True
        if directive.name.value == "skip" and condition:
            return False
        if directive.name.value == "include" and not condition:
            return False
    return True


def projector(
    prepared: Prepared, selections: tuple[SelectionNode, ...], type_: GraphQLObjectType, variables: Mapping[str, Any]
) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """A function from a plain mapping in the schema's names to what the selection asks of it."""
    fields = [
        (f, _object_below(type_.fields[f.name].type) if f.name != "__typename" else None)
        for f in collect(prepared, selections, type_.name, variables)
    ]
    nested = {f.key: (f.name, projector(prepared, f.below, inner, variables)) for f, inner in fields if inner is not None}
    leaves = [(f.key, f.name) for f, _ in fields]

    def project(value: Mapping[str, Any]) -> dict[str, Any]:
        get = value.get
        result = {key: get(name, type_name) if name == "__typename" else get(name) for key, name in leaves}
        for key, (name, below) in nested.items():
            child = get(name)
            result[key] = [below(c) for c in child] if isinstance(child, list) else None if child is None else below(child)
        return result

    type_name = type_.name
    return project


def _object_below(type_: Any) -> GraphQLObjectType | None:
    while hasattr(type_, "of_type"):
        type_ = type_.of_type
    return type_ if isinstance(type_, GraphQLObjectType) else None
