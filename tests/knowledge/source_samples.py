"""A realistic file of each language that is cut along its syntax tree; `...` stands for a body."""

SAMPLES = [
    (
        "shop/orders.py",
        "python",
        "python",
        '''
"""Orders."""

import os
from shop import compute

LIMIT: int = 3

# Why it is cached.
@cache
def total_of(
    order: Order,
) -> int:
    """The total."""
    ...
    return total_1


class Order(Model):
    """What a person bought."""

    number = IntegerField()

    @property
    def total(self) -> int:
        ...
        return 0

    async def pay(self) -> None:
        ...

    class Meta:
        ordering = ["number"]
''',
    ),
    (
        "src/orders.ts",
        "typescript",
        "javascript",
        """
import { z } from "zod";

/** The total. */
export const totalOf = async (order: Order): Promise<number> => {
...
};

export interface Order {
  number: number;
  lines: Line[];
}

export type Key = string | number;

@Injectable()
export class Shop extends Building {
  private orders: Order[] = [];

  // Takes money.
  pay(order: Order): void {
...
  }

  cancel = (order: Order) => {
...
  };
}

namespace Inner {
  export function hidden() {
...
  }
}
""",
    ),
    (
        "src/Cart.tsx",
        "tsx",
        "javascript",
        """
export function Cart({ order }: Props) {
...
  return <ul className="cart">{order.lines.map((line) => <Line key={line.id} {...line} />)}</ul>;
}

export const Line = ({ name }: LineProps) => <li>{name}</li>;
""",
    ),
    (
        "lib/orders.js",
        "javascript",
        "javascript",
        """
'use strict';
const fs = require('fs');

exports.read = function (path) {
...
};

Order.prototype.pay = function pay() {
...
};

function* each(order) {
...
}

class Shop {
  static #count = 1;

  get name() {
...
  }
}
""",
    ),
    (
        "shop/orders.go",
        "go",
        "go",
        """
// Package shop sells.
package shop

import "fmt"

const Limit = 3

// Order is what a person bought.
type Order[T any] struct {
	number int
}

// Pay takes money.
func (o *Order[T]) Pay(amount int) error {
...
	return nil
}

func New() *Order[int] {
...
	return nil
}
""",
    ),
    (
        "src/Shop.java",
        "java",
        "java",
        """
package org.shop;

import java.util.List;

/** A shop. */
@Service
public class Shop<T> extends Base {
    private static final int LIMIT = 3;

    public Shop(String name) {
        ...
    }

    /** Sells. */
    @Override
    public int sell(List<T> items) throws IOException {
        ...
        return 0;
    }

    enum Kind { BIG, SMALL }
}
""",
    ),
    (
        "src/shop.rs",
        "rust",
        "rust",
        """
//! Sells.
use std::fmt;

const LIMIT: usize = 3;

/// A shop.
#[derive(Debug)]
pub struct Shop<T> {
    name: T,
}

impl<T> fmt::Display for Shop<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
    ...
        Ok(())
    }

    /// Sells.
    fn sell(&self) {
    ...
    }
}

#[test]
fn sells() {
    ...
}
""",
    ),
    (
        "include/shop.h",
        "c",
        "c",
        """
#ifndef SHOP_H
#define SHOP_H
#define LIMIT 10

typedef struct shop { int number; } shop_t;

/* Sells. */
static inline char *sell(struct shop *shop, int count) {
    ...
    return 0;
}

int pay(struct shop *shop) {
    ...
}
#endif
""",
    ),
    (
        "src/shop.cpp",
        "cpp",
        "c",
        """
#include <string>

namespace shop::inner {

template <typename T>
class Box : public Base<T> {
 public:
  T get() const {
    ...
  }

  bool operator==(const Box& other) const {
    ...
  }
};

}  // namespace shop::inner

void shop::Shop::sell(int count) {
    ...
}
""",
    ),
    (
        "src/Shop.cs",
        "csharp",
        "java",
        """
using System;

namespace Shop.Inner
{
    /// <summary>Sells.</summary>
    [Serializable]
    public class Seller<T> : Base, IThing where T : class
    {
        public string Name { get; set; }

        public Seller(int count)
        {
        ...
        }

        public async Task<int> SellAsync(int count)
        {
        ...
        }
    }
}
""",
    ),
    (
        "lib/shop.rb",
        "ruby",
        "ruby",
        """
require "json"

module Shop
  LIMIT = 3

  # Sells.
  class Seller < Base
    attr_reader :name

    def initialize(name)
      ...
    end

    def self.build(name)
      ...
    end

    def empty?
      true
    end
  end
end
""",
    ),
    (
        "src/Shop.php",
        "php",
        "php",
        """
<?php

namespace App\\Shop;

use Foo\\Bar;

/** Sells. */
#[Route('/x')]
final class Seller extends Base
{
    private ?string $name = null;

    public function __construct(private int $count)
    {
        ...
    }

    /** Sells. */
    public static function sell(int $count): int
    {
        ...
    }
}

function helper($x)
{
        ...
}
""",
    ),
    (
        "db/schema.sql",
        "sql",
        "sql",
        """
-- Everything that was sold.
CREATE TABLE IF NOT EXISTS public.orders (
  ...
  id bigint PRIMARY KEY
);

CREATE UNIQUE INDEX orders_number ON public.orders (number);

CREATE TABLE "lines" (
  ...
  id bigint PRIMARY KEY
);
""",
    ),
    (
        "bin/deploy.sh",
        "shell",
        "shell",
        """
#!/bin/bash
set -eu

# Builds it.
build() {
  ...
}

function deploy {
  ...
}

build
deploy
""",
    ),
]
