import { expect, test } from "vitest";
import shipped from "../../../../libs/templates/maie_templates/builtin/meeting_notes_v1/schema.json?raw";
import { newField, pointerOf, toForm, toSchema, unnamed } from "../src/templates/fields";

test("a form gives back the schema that it was made of", () => {
  const schema = JSON.parse(shipped);
  const form = toForm(schema);
  expect(form?.fields.map((each) => each.kind)).toContain("groups");
  expect(form && toSchema(form)).toEqual(schema);
});

test("every kind of field survives", () => {
  const inner = newField("date", { name: "due", nullable: true });
  const fields = [
    newField("text", { name: "a", title: "A", description: "d", longest: 5 }),
    newField("list", { name: "b", most: 3, required: false }),
    newField("choice", { name: "c", choices: ["x", "y"] }),
    newField("number", { name: "d" }),
    newField("boolean", { name: "e", nullable: true }),
    newField("group", { name: "f", fields: [inner] }),
    newField("groups", { name: "g", fields: [inner] }),
  ];
  const schema = toSchema({ title: "t", description: "d", fields });
  const back = toForm(schema);
  expect(back && toSchema(back)).toEqual(schema);
});

test("a schema with more than a form can show stays JSON", () => {
  const plain = { title: "t", description: "d", type: "object", additionalProperties: false };
  const text = { type: "string", maxLength: 9 };
  expect(toForm({ ...plain, properties: { a: text } })).not.toBeNull();
  expect(toForm({ ...plain, properties: { a: { ...text, minLength: 2 } } })).toBeNull();
  expect(toForm({ ...plain, properties: { a: { $ref: "#/$defs/a" } }, $defs: { a: text } })).toBeNull();
  expect(toForm({ ...plain, properties: { a: { enum: [1, null] } } })).toBeNull();
  expect(toForm([])).toBeNull();
});

test("fields that JSON cannot tell apart are found, in groups too", () => {
  const twice = [newField("text", { name: "a" }), newField("text", { name: "a" })];
  const group = newField("groups", { name: "g", fields: [newField("text", { name: "1" })] });
  const ids = unnamed([...twice, group]);
  expect(ids).toEqual(new Set([twice[1]?.id, group.fields[0]?.id]));
  const inner = newField("text", { name: "b" });
  expect(pointerOf(inner, group)).toBe("/properties/g/items/properties/b");
});
