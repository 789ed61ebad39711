// The published clients of contract 002 against a running server.
//
//   npm install --prefix tests/real-clients
//   quittance demo --json --db /tmp/demo.db --addr 127.0.0.1:0 > demo.json &
//   node tests/real-clients/flowglad.mjs demo.json
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';

// The ESM build of the server kit lacks its file extensions, so both are taken as CommonJS.
const require = createRequire(import.meta.url);
const Flowglad = require('@flowglad/node').default;
const { FlowgladServer } = require('@flowglad/server');

const { url, credentials } = JSON.parse(fs.readFileSync(process.argv[2], 'utf8').split('\n')[0]);
const apiKey = credentials.merchantApiKey;
const client = new Flowglad({ apiKey, baseURL: url });
const run = Date.now().toString(36);

const refusal = async (promise, status, code) => {
  const error = await promise.then(() => assert.fail('it was not refused'), (error) => error);
  assert.equal(error.status, status, error.message);
  assert.equal(error.error.code, code);
  assert.ok(error.message.includes(error.error.message), error.message);
  return error;
};

const checks = {
  async 'the billing of the demo customer'() {
    const billing = await client.customers.retrieveBilling(credentials.customerExternalId);
    assert.deepEqual(Object.keys(billing), ['customer', 'subscriptions', 'invoices', 'paymentMethods', 'purchases',
      'currentSubscriptions', 'catalog', 'pricingModel']);
    assert.equal(billing.customer.externalId, credentials.customerExternalId);
    for (const { invoice, invoiceLineItems } of billing.invoices) {
      const net = invoiceLineItems.reduce((sum, line) => sum + line.price * line.quantity, 0);
      assert.equal(net, invoice.subtotal);
      assert.ok(!Number.isNaN(Date.parse(invoice.invoiceDate)));
    }
    assert.ok(billing.invoices.length > 0 && billing.subscriptions.length > 0);
  },

  async 'a customer with a difficult id, made twice and read'() {
    const externalId = `u 1/é ${run}`;
    const customer = { externalId, name: 'Zoë', email: `zoe-${run}@example.com` };
    const first = await client.customers.create({ customer });
    const second = await client.customers.create({ customer });
    assert.equal(second.data.customer.id, first.data.customer.id);
    assert.equal((await client.customers.retrieve(externalId)).customer.externalId, externalId);
    assert.equal((await client.customers.retrieveBilling(externalId)).customer.id, first.data.customer.id);
    const changed = await client.customers.update(externalId, { customer: { id: first.data.customer.id, name: 'Z.' } });
    assert.equal(changed.customer.name, 'Z.');
    await refusal(client.customers.create({ customer: { ...customer, name: 'Other' } }), 409, 'CONFLICT');
  },

  async 'failures become the errors of the client'() {
    const error = await refusal(client.customers.retrieve(`nobody-${run}`), 404, 'NOT_FOUND');
    assert.ok(error instanceof Flowglad.NotFoundError);
    const stranger = new Flowglad({ apiKey: 'sk_unknown', baseURL: url });
    assert.ok((await refusal(stranger.customers.list(), 401, 'UNAUTHORIZED')) instanceof Flowglad.AuthenticationError);
    await refusal(client.customers.list({ limit: 0 }), 400, 'BAD_REQUEST');
    await refusal(client.customers.create({ customer: { externalId: 'x', name: 'X' } }), 400, 'BAD_REQUEST');
  },

  async 'lists, page by page'() {
    for (const list of ['customers', 'products', 'prices', 'discounts', 'subscriptions', 'invoices', 'invoiceLineItems',
      'payments', 'paymentMethods', 'catalogs']) {
      const ids = new Set();
      let page;
      let rows = 0;
      do {
        page = await client[list].list({ limit: 100, cursor: page?.nextCursor });
        page.data.forEach((row) => ids.add(row.id));
        rows += page.data.length;
      } while (page.hasMore && rows < 1000);
      assert.equal(ids.size, rows, list);
      if (!page.hasMore) assert.equal(rows, page.total, list);
    }
  },

  async 'from a product to a refund'() {
    const { catalog } = await client.catalogs.retrieveDefault();
    const made = await client.products.create({
      product: { catalogId: catalog.id, name: `Pro ${run}`, slug: `pro-${run}`, active: true, default: false,
        description: null, displayFeatures: [{ enabled: true, label: 'All of it' }], imageURL: null,
        pluralQuantityLabel: null, singularQuantityLabel: null },
      price: { type: 'subscription', active: true, isDefault: true, intervalUnit: 'month', intervalCount: 1, name: null,
        setupFeeAmount: null, slug: `pro-monthly-${run}`, trialPeriodDays: null, unitPrice: 1000 },
    });
    const product = await client.products.retrieve(made.product.id);
    const other = await client.prices.create({ price: { type: 'subscription', productId: product.id, active: true,
      isDefault: false, intervalUnit: 'month', intervalCount: 1, name: 'More', setupFeeAmount: null, slug: null,
      trialPeriodDays: null, unitPrice: 3000 } });
    const externalId = `buyer-${run}`;
    const { data: { customer } } = await client.customers.create({ customer: { externalId, name: 'Bo', email: 'bo@example.com' } });
    await client.post('/api/v1/payment-methods', { body: { paymentMethod: { customerId: customer.id, token: 'tok_visa' } } });
    const { subscription } = await client.subscriptions.create({ customerId: customer.id, priceId: product.defaultPrice.id });
    assert.equal(subscription.status, 'active');
    const adjusted = await client.subscriptions.adjust(subscription.id, { adjustment: {
      timing: 'at_end_of_current_billing_period', newSubscriptionItems: [{ priceId: other.price.id, quantity: 2 }] } });
    assert.equal(adjusted.subscription.id, subscription.id);
    const ending = await client.subscriptions.cancel(subscription.id, {
      cancellation: { timing: 'at_end_of_current_billing_period' } });
    assert.equal(ending.subscription.status, 'cancellation_scheduled');
    const billing = await client.customers.retrieveBilling(externalId);
    assert.equal(billing.invoices.length, 1);
    const payments = await client.get('/api/v1/payments', { query: { customerExternalId: externalId } });
    const { payment } = await client.payments.refund(payments.data[0].id, { partialAmount: 1 });
    assert.equal(payment.refundedAmount, 1);
    const invoice = await client.invoices.retrieve(billing.invoices[0].invoice.id);
    assert.equal(invoice.invoice.status, 'partially_refunded');
    const discount = await client.discounts.create({ discount: { name: 'D', code: `D${run}`, amountType: 'percent', amount: 5,
      duration: 'once', numberOfPayments: null } });
    assert.equal((await client.discounts.retrieve(discount.discount.id)).discount.code, `D${run}`);
  },

  async 'the server kit makes the customer that is not there yet'() {
    const externalId = `kit/${run}`;
    const kit = new FlowgladServer({ apiKey, baseURL: url,
      getRequestingCustomer: async () => ({ externalId, name: 'Kit', email: 'kit@example.com' }) });
    const billing = await kit.getBilling();
    assert.equal(billing.customer.externalId, externalId);
    const product = billing.catalog.products.find((product) => product.slug);
    assert.equal(billing.getProduct(product.slug).id, product.id);
    assert.equal((await kit.getBilling()).customer.id, billing.customer.id);
  },
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n${error.stack}`);
  }
}
process.exit(failed ? 1 : 0);
