// One shop's way through the published client, against a sandbox on the port given; prints what came back as JSON.
const [port, packages] = process.argv.slice(2);
require('http').globalAgent.defaultPort = Number(port); // the client has no port option
const omise = require(`${packages}/omise`)({
  secretKey: 'skey_test_4xs8breq3htbkj03d2x', publicKey: 'pkey_test_4xs8breq32civvobx15',
  omiseVersion: '2019-05-29', scheme: 'http', host: '127.0.0.1', vaultHost: '127.0.0.1',
});
const recipient = 'recp_test_seed0000000000001';

const token = async (number = '4242424242424242') => (await omise.tokens.create({
  card: {name: 'สมชาย ประเสริฐ', number, expiration_month: 10, expiration_year: 2030, security_code: '123'},
})).id;
const code = (promise) => promise.then(() => 'no error', (error) => error.code);

async function main() {
  const told = {};
  const customer = await omise.customers.create({email: 'somchai@example.com', card: await token()});
  told.customer = await omise.customers.retrieve(customer.id);
  told.charge = await omise.charges.create({
    amount: '100000', currency: 'thb', customer: customer.id, destination: recipient, description: 'Order A-1',
    metadata: {order_id: 'A-1', note: 'ชำระแล้ว'}, platform_fee: {fixed: 500, percentage: 1.5},
  });
  told.again = await omise.charges.retrieve(told.charge.id);
  await omise.charges.update(told.charge.id, {description: 'Order A-1, late'});
  told.declined = await omise.charges.create({amount: 100000, currency: 'thb', card: await token('4111111111140011')});
  const spent = await token();
  await omise.charges.create({amount: 100000, currency: 'thb', card: spent});
  told.errors = [
    await code(omise.charges.create({amount: 100000, currency: 'thb', card: spent})),
    await code(omise.charges.create({amount: 1, currency: 'thb', customer: customer.id})),
    await code(omise.charges.create({
      amount: 100000, currency: 'thb', customer: customer.id, destination: 'recp_test_sandboxunverified'})),
    await code(omise.charges.retrieve('chrg_test_nothing')),
  ];
  told.page = await omise.charges.list({limit: 2, offset: 1, order: 'reverse_chronological'});
  told.found = await omise.search.list({scope: 'charge', query: 'A-1', 'filters[amount]': '1000'});
  told.refund = await omise.charges.createRefund(told.charge.id, {amount: 1000});

  const held = await omise.charges.create({amount: 100000, currency: 'thb', customer: customer.id, capture: false});
  told.captured = await omise.charges.capture(held.id);
  const source = await omise.sources.create({type: 'promptpay', amount: 100000, currency: 'thb'});
  const pending = await omise.charges.create({amount: 100000, currency: 'thb', source: source.id});
  told.expired = await omise.charges.expire(pending.id);

  const transfer = await omise.transfers.create({amount: 50000, recipient, metadata: {order_id: 'A-1'}});
  told.transfer = await omise.transfers.update(transfer.id, {amount: 40000});
  told.destroyed = await omise.transfers.destroy(transfer.id);
  told.transfers = await omise.transfers.list({limit: 10});
  told.transactions = await omise.transactions.list({limit: 100});
  told.events = await omise.events.list({limit: 100});
  told.balance = await omise.balance.retrieve();
  told.account = await omise.account.retrieve();
  told.capability = await omise.capability.retrieve();
  process.stdout.write(JSON.stringify(told));
}

main().catch((error) => {
  process.stderr.write(`${error.stack || JSON.stringify(error)}\n`);
  process.exitCode = 1;
});
