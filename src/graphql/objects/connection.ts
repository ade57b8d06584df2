import type { GraphQLScalarType } from 'graphql';
import { type ClassType, Field, Int, ObjectType } from 'type-graphql';
import type { Page } from '../../domain/page.js';

@ObjectType({ description: 'Where a page stands in its list', simpleResolvers: true })
export class PageInfo {
  @Field(() => Boolean, { description: 'Whether more items follow this page' })
  hasNextPage: boolean;
  @Field(() => Boolean, { description: 'Whether items come before this page' })
  hasPreviousPage: boolean;
  @Field(() => String, { nullable: true, description: 'Cursor of the first item; null on an empty page' })
  startCursor: string | null;
  @Field(() => String, { nullable: true, description: 'Cursor of the last item; null on an empty page' })
  endCursor: string | null;
}

/** The Relay types of a list: `<name>Connection` and `<name>Edge`. */
export function connectionOf(name: string, items: string, node: () => ClassType | GraphQLScalarType): ClassType {
  @ObjectType(`${name}Edge`, { description: `One of the ${items} with its place in the list`, simpleResolvers: true })
  class Edge {
    @Field(() => String, { description: 'Place in the list, for `after` and `before`' })
    cursor: string;
    @Field(node, { description: 'The item itself' })
    node: unknown;
  }

  @ObjectType(`${name}Connection`, { description: `A page of ${items}`, simpleResolvers: true })
  class Connection {
    @Field(() => [Edge], { description: 'The items of the page, each with its cursor' })
    edges: Edge[];
    @Field(() => [node()], { description: 'The items of the page' })
    nodes: unknown[];
    @Field(() => PageInfo, { description: 'Where the page stands in the list' })
    pageInfo: PageInfo;
    @Field(() => Int, { description: 'How many items the whole list has; counted only when asked for' })
    totalCount: number;
  }
  return Connection;
}

class PageEdge<T> {
  readonly node: T;
  readonly #page: Page<T>;
  constructor(page: Page<T>, node: T) {
    this.node = node;
    this.#page = page;
  }
  /** Made only for who asks for it. */
  get cursor(): string {
    return this.#page.cursorOf(this.node);
  }
}

/** A page of a verb in the shape of a connection. */
export class PageConnection<T> {
  readonly #page: Page<T>;
  constructor(page: Page<T>) {
    this.#page = page;
  }
  get nodes(): readonly T[] {
    return this.#page.items;
  }
  get edges(): readonly PageEdge<T>[] {
    return this.#page.items.map((item) => new PageEdge(this.#page, item));
  }
  get pageInfo(): PageInfo {
    const { items, hasNextPage, hasPreviousPage } = this.#page;
    const cursor = (item: T | undefined) => (item === undefined ? null : this.#page.cursorOf(item));
    return { hasNextPage, hasPreviousPage, startCursor: cursor(items[0]), endCursor: cursor(items.at(-1)) };
  }
  count(): number | Promise<number> {
    return this.#page.totalCount();
  }
}
