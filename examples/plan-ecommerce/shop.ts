export interface Address {
  readonly street: string
  readonly city: string
}

export interface Customer {
  readonly id: string
  readonly name: string
  readonly address: Address
  /** What the bank lets them spend, in EUR. */
  readonly limit: number
}

export interface Product {
  readonly name: string
  /** In EUR. */
  readonly price: number
  readonly warehouse: Address
  stock: number
}

/** The shop: plain data, and what can be done with it. It knows nothing of plans or models. */
export class Shop {
  readonly customers: readonly Customer[] = [
    { id: "ada", name: "Ada Byron", address: { street: "12 Engine Row", city: "London" }, limit: 500 },
    { id: "bob", name: "Bob Moss", address: { street: "3 Harbour Lane", city: "Hull" }, limit: 20 },
  ]
  readonly products: readonly Product[] = [
    { name: "headphones", price: 79, stock: 3, warehouse: { street: "Dock 4", city: "Leeds" } },
    { name: "laptop", price: 480, stock: 1, warehouse: { street: "Dock 9", city: "Dover" } },
  ]
  readonly #reservations = new Map<string, Product>()
  readonly #payments = new Map<string, number>()

  customer(id: string): Customer {
    const found = this.customers.find((customer) => customer.id === id)
    if (!found) throw new Error(`There is no customer ${id}.`)
    return found
  }

  /** Takes one of a product out of the stock. Under the same key it is taken once. */
  reserve(key: string, name: string): Product | undefined {
    const product = this.products.find((each) => each.name === name.toLowerCase())
    if (!product) throw new Error(`The shop has no ${name}: it has ${this.#names()}.`)
    if (this.#reservations.has(key)) return product
    if (product.stock === 0) return undefined
    product.stock--
    this.#reservations.set(key, product)
    return product
  }

  giveBack(key: string): void {
    const product = this.#reservations.get(key)
    if (product) product.stock++
    this.#reservations.delete(key)
  }

  /** Takes the money, once under the same key. False when the bank says no. */
  pay(key: string, customer: Customer, amount: number): boolean {
    if (amount > customer.limit) return false
    this.#payments.set(key, amount)
    return true
  }

  refund(key: string): void {
    this.#payments.delete(key)
  }

  /** In EUR. */
  get earned(): number {
    return [...this.#payments.values()].reduce((sum, amount) => sum + amount, 0)
  }

  #names(): string {
    return this.products.map(({ name }) => name).join(", ")
  }
}
